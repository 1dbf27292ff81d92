#!/usr/bin/env bash
# Builds the binary as it is shipped: static, and without the paths of this machine. Prints where it lies.
#   scripts/build_static.sh [PROFILE] [FOLDER]        release and target without them
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${1:-release}
folder=${2:-target}
# The target is named so that the flags do not reach build scripts and procedural macros.
target=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$PWD=/source --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
  cargo build --profile "$profile" --locked --quiet --bin berth --target "$target" --target-dir "$folder" >&2
echo "$folder/$target/${profile/#dev/debug}/berth"
