#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: a Postgres server (for the differential tests), podman (for the
# container's test) and Python with the validator of
# OpenAPI documents. Does nothing where it is all there.
set -euo pipefail
cd "$(dirname "$0")/.."

postgres_is_here() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
packages=()
postgres_is_here || packages+=(postgresql)
command -v cc >/dev/null || packages+=(build-essential)
command -v curl >/dev/null || packages+=(curl)
python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3 python3-venv)
command -v podman >/dev/null || packages+=(podman runc)

if [ ${#packages[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}"
  else
    echo "not installed (needs apt-get and root): ${packages[*]}; tests that need them will say that they were skipped"
  fi
fi

# Validators, pinned; tests that call them look for this environment.
venv=target/python
if [ ! -x "$venv/bin/python" ] && command -v python3 >/dev/null; then
  python3 -m venv "$venv"
fi
if [ -x "$venv/bin/pip" ] && ! cmp -s tests/requirements.txt "$venv/requirements.txt"; then
  "$venv/bin/pip" install --quiet -r tests/requirements.txt && cp tests/requirements.txt "$venv/requirements.txt"
fi
