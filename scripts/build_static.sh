#!/usr/bin/env bash
# Builds the binary as it is shipped: static, and without the paths of this machine. Prints where it lies.
#   scripts/build_static.sh [PROFILE] [FOLDER]        release and target without them
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${1:-release}
folder=${2:-target}
# The target is named so that the flags do not reach build scripts and procedural macros. Relocations are packed, which is
# half a megabyte less to load; a C library before glibc 2.36 cannot unpack them, so it is tried whether the program runs.
target=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs --remap-path-prefix=$PWD=/source --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
  cargo build --profile "$profile" --locked --quiet --bin berth --target "$target" --target-dir "$folder" >&2
binary=$folder/$target/${profile/#dev/debug}/berth
"$binary" --version >&2
echo "$binary"
