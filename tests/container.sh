#!/usr/bin/env bash
# The image, as it is deployed: from an empty base, not as root, with a read-only root and little memory.
#   tests/container.sh [profile]         builds the static binary (release), makes the image with podman, and asks it
#   BUILT=an-image tests/container.sh    asks an image that is there
# Prints the image's size, the time until it is ready, and what it holds when idle.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "skipped: $*"; exit 0; }
command -v podman >/dev/null || skip "podman is not installed (apt-get install podman)"
runtime=()
command -v runc >/dev/null && runtime=(--runtime runc)

name=berth-test-$$
image=${BUILT:-$name}
work=$(mktemp -d)
cleanup() { podman rm -f "$name" >/dev/null 2>&1 || true; podman rmi -f "$name" >/dev/null 2>&1 || true; rm -rf "$work"; }
trap cleanup EXIT
mkdir "$work/data"
chmod 777 "$work/data"
expect() { [ "$2" = "$3" ] || { echo "$1: expected $3, got $2"; podman logs "$name"; exit 1; }; }

# The last stage of the Dockerfile, with the binary that is there: tests/dockerfile.sh builds all of it.
build_last_stage() {
  local binary first
  binary=$(scripts/build_static.sh "$1" "${STATIC_TARGET:-target/static}")
  mkdir -p "$work/image"/{data,migrations,tmp}
  chmod 1777 "$work/image/tmp"
  cp "$binary" "$work/image/berth"
  { echo 'FROM scratch'; echo 'COPY image /'; sed -n '/^FROM scratch/,$p' Dockerfile | grep -vE '^(FROM|COPY)'; } > "$work/Dockerfile"
  podman_build >/dev/null 2>"$work/error" || skip "podman cannot build images here: $(tail -1 "$work/error")"
  first=$(layers)
  sleep 1.1
  touch "$work"/image/berth
  podman rmi -f "$name" >/dev/null
  podman_build >/dev/null
  expect "the layers, built again later" "$(layers)" "$first"
}
podman_build() { podman build -q --no-cache --format docker --timestamp 0 --build-arg VERSION=1 -t "$name" "$work"; }
layers() { podman image inspect -f '{{.RootFS.Layers}}' "$name"; }
[ -n "${BUILT:-}" ] || build_last_stage "${1:-release}"

run() {
  podman "${runtime[@]}" run -d --name "$name" --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 \
    --read-only --tmpfs /tmp --memory 64m --no-healthcheck --network host -e PORT="$port" -e HOST=127.0.0.1 \
    -v "$work/data:/data" -v "$PWD/migrations:/migrations:ro" "$image" >/dev/null
}
wait_ready() { for _ in $(seq 1000); do curl -sf "$base/-/ready" >/dev/null && return; sleep 0.01; done; podman logs "$name"; echo "never ready"; exit 1; }

expect "the version" "$(podman image inspect -f '{{index .Labels "org.opencontainers.image.version"}}' "$image")" 1
expect "the health check" "$(podman image inspect -f '{{index .HealthCheck.Test 1}}' "$image")" /berth
id=$(podman create --no-healthcheck "$image")
podman cp "$id:/berth" "$work/berth"
podman rm "$id" >/dev/null
strings -n 6 "$work/berth" | grep -qF "$PWD" && { echo "the binary names the folder that it was built in"; exit 1; }

port=$((20000 + RANDOM % 20000))
base=http://127.0.0.1:$port
run 2>"$work/error" || skip "podman cannot run containers here: $(tail -1 "$work/error")"
wait_ready
expect "a read" "$(curl -s "$base/films?select=title&limit=1" | head -c 1)" "["
expect "a write" "$(curl -s -o /dev/null -w '%{http_code}' "$base/reviews" -H 'Content-Type: application/json' -d '{"film_id":1,"stars":5,"body":"from a container"}')" 201
expect "the health command" "$(podman exec "$name" /berth health >/dev/null && echo yes)" yes
pid=$(podman inspect -f '{{.State.Pid}}' "$name")
expect "the user" "$(awk '/^Uid/ {print $2}' "/proc/$pid/status")" 65532
sleep 1
resident=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status")
started=$(podman logs "$name" 2>&1 | sed -n 's/.*"milliseconds":\([0-9]*\).*/\1/p' | tail -1)
podman stop -t 10 "$name" >/dev/null
expect "the exit status after SIGTERM" "$(podman inspect -f '{{.State.ExitCode}}' "$name")" 0
podman rm "$name" >/dev/null
run
wait_ready
expect "the row after a restart" "$(curl -s "$base/reviews?body=eq.from%20a%20container&select=stars")" '[{"stars":5}]'

compressed=$(podman save "$image" 2>/dev/null | gzip | wc -c)
printf 'image %.1f MB (%.1f MB compressed), ready in %s ms, %.1f MB resident when idle\n' \
  "$(podman image inspect -f '{{.Size}}' "$image" | awk '{print $1 / 1e6}')" "$(echo "$compressed" | awk '{print $1 / 1e6}')" "$started" "$(echo "$resident" | awk '{print $1 * 1024 / 1e6}')"
