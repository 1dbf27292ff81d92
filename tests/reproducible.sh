#!/usr/bin/env bash
# The same sources give the same binary: builds the release twice, from two folders, and compares.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=$(rustc -vV | sed -n 's/^host: //p')
for copy in one another; do
  mkdir -p "$work/$copy"
  git archive HEAD | tar -x -C "$work/$copy"
  (cd "$work/$copy" &&
    RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$PWD=/source --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
      cargo build --release --locked --bin berth --target "$target" --quiet)
  cp "$work/$copy/target/$target/release/berth" "$work/$copy.binary"
  rm -rf "${work:?}/$copy"
done
sha256sum "$work"/*.binary | sed 's|/.*/||'
cmp "$work/one.binary" "$work/another.binary" && echo "the same"
