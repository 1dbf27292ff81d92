#!/usr/bin/env bash
# The same sources give the same binary: builds the release twice, from two folders, and compares.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for copy in one another; do
  mkdir -p "$work/$copy"
  git archive HEAD | tar -x -C "$work/$copy"
  binary=$("$work/$copy/scripts/build_static.sh")
  cp "$work/$copy/$binary" "$work/$copy.binary"
  rm -rf "${work:?}/$copy"
done
sha256sum "$work"/*.binary | sed 's|/.*/||'
cmp "$work/one.binary" "$work/another.binary" && echo "the same"
