#!/usr/bin/env bash
# The whole Dockerfile, and then what tests/container.sh asks of an image. Where no registry can be reached the base image
# is made here, of Debian's packages (debootstrap) and the installed Rust.
#   tests/dockerfile.sh                                          makes the base image
#   RUST_IMAGE=rust:1.95-slim-bookworm tests/dockerfile.sh       takes one from a registry
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "skipped: $*"; exit 0; }
command -v podman >/dev/null || skip "podman is not installed (apt-get install podman runc)"
runtime=()
command -v runc >/dev/null && runtime=(--runtime runc)

name=berth-dockerfile-$$
base=${RUST_IMAGE:-}
work=$(mktemp -d)
cleanup() {
  podman rmi -f "$name" >/dev/null 2>&1 || true
  [ -n "${RUST_IMAGE:-}" ] || podman rmi -f "$base" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

# What a build needs of the toolchain, in the usual path; crates where the official image has them.
make_base() {
  local rust from
  rust=$(rustc --print sysroot)
  base=berth-base-$$
  from=${DEBIAN:-http://deb.debian.org/debian}
  debootstrap --variant=minbase bookworm "$work/root" "$from" >"$work/log" 2>&1 || skip "no Debian can be made here: $(tail -1 "$work/log")"
  tar -C "$rust" --exclude=share --exclude=lib/rustlib/src -c bin lib | tar -C "$work/root/usr/local" -x
  tar -C "$work/root" -c . | podman import -q --change 'ENV CARGO_HOME=/usr/local/cargo' - "$base" >/dev/null
  rm -rf "$work/root"
}
if [ -z "$base" ]; then
  command -v debootstrap >/dev/null || skip "debootstrap is not installed (apt-get install debootstrap), and RUST_IMAGE names no image"
  [ "$(id -u)" = 0 ] || skip "debootstrap wants root"
  make_base
fi

podman "${runtime[@]}" build --layers=false --force-rm --network host --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --format docker --timestamp 0 \
  --volume "${CARGO_HOME:-$HOME/.cargo}/registry:/usr/local/cargo/registry" \
  --build-arg RUST_IMAGE="$base" --build-arg VERSION=1 --build-arg SOURCE_DATE_EPOCH=1 -t "$name" .
BUILT=$name ./tests/container.sh
