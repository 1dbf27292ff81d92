#!/usr/bin/env bash
# Mounts real file systems that several hosts can share, each twice as two hosts would, and runs the shared log's tests on
# them: GlusterFS by FUSE, and s3fs and rclone over a local S3 server, which berth must refuse. Needs root, /dev/fuse and
# apt-get (it installs what is missing); what cannot be mounted is said to be skipped, and why.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
pids=()
mounted=()
cleanup() {
  for place in "${mounted[@]:-}"; do [ -n "$place" ] && umount -l "$place" 2>/dev/null || true; done
  [ -S "$work/glusterd.socket" ] && gluster_cli volume stop berth force >/dev/null 2>&1 || true
  for pid in "${pids[@]:-}"; do [ -n "$pid" ] && kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work" || true
}
trap cleanup EXIT

skip() { echo "skipped: $*"; }
[ "$(id -u)" = 0 ] && [ -c /dev/fuse ] || { skip "mounting takes root and /dev/fuse"; exit 0; }

install() { # command, package
  command -v "$1" >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null 2>&1
}

gluster_cli() { gluster --mode=script --glusterd-sock="$work/glusterd.socket" "$@"; }

glusterfs() {
  local host
  host=$(hostname)
  mkdir -p "$work/brick" "$work/glusterd" "$work/gluster-1" "$work/gluster-2"
  printf 'volume management\n type mgmt/glusterd\n option working-directory %s\n option glusterd-sockfile %s\n' \
    "$work/glusterd" "$work/glusterd.socket" > "$work/glusterd.vol"
  printf ' option transport-type socket\n option transport.socket.listen-port 24007\nend-volume\n' >> "$work/glusterd.vol"
  glusterd -N -f "$work/glusterd.vol" -l "$work/glusterd.log" -p "$work/glusterd.pid" & pids+=($!)
  for _ in $(seq 200); do gluster_cli pool list >/dev/null 2>&1 && break; sleep 0.1; done
  gluster_cli volume create berth "$host:$work/brick" force >/dev/null || return 1
  gluster_cli volume start berth >/dev/null || return 1
  for number in 1 2; do
    mount -t glusterfs "$host:/berth" "$work/gluster-$number" || return 1
    mounted+=("$work/gluster-$number")
  done
}

s3_port=15999
s3_server() {
  python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet 'moto[server]==5.2.5' || return 1
  "$work/venv/bin/moto_server" -H 127.0.0.1 -p "$s3_port" >"$work/moto.log" 2>&1 & pids+=($!)
  for _ in $(seq 100); do curl -sf -X PUT "http://127.0.0.1:$s3_port/bucket" >/dev/null && return; sleep 0.1; done
  return 1
}

s3fs_mount() {
  mkdir -p "$work/s3fs"
  (umask 077; echo key:secret > "$work/password")
  s3fs bucket "$work/s3fs" -o "passwd_file=$work/password,url=http://127.0.0.1:$s3_port,use_path_request_style,sigv2" || return 1
  mounted+=("$work/s3fs")
}

rclone_mount() {
  mkdir -p "$work/rclone"
  printf '[s]\ntype = s3\nprovider = Other\naccess_key_id = key\nsecret_access_key = secret\nforce_path_style = true\nendpoint = http://127.0.0.1:%s\n' \
    "$s3_port" > "$work/rclone.conf"
  env -u AWS_CA_BUNDLE rclone --config "$work/rclone.conf" --cache-dir "$work/cache" mount s:bucket/rclone "$work/rclone" \
    --daemon --vfs-cache-mode writes || return 1
  mounted+=("$work/rclone")
}

safe=() overwriting=()
if install glusterd glusterfs-server && glusterfs; then
  safe+=("glusterfs=$work/gluster-1:$work/gluster-2")
else
  skip "GlusterFS cannot be installed or mounted here"
fi
if s3_server; then
  for kind in s3fs rclone; do
    if install "$kind" "$kind" && "${kind}_mount"; then
      overwriting+=("$kind=$work/$kind")
    else
      skip "$kind cannot be installed or mounted here"
    fi
  done
else
  skip "s3fs and rclone need an S3 server, which cannot be installed here"
fi
grep -qw nfs4 /proc/filesystems || skip "this kernel mounts no NFS"

cargo build --quiet
for volume in "${safe[@]%%:*}" "${overwriting[@]}"; do
  [ -n "$volume" ] || continue
  echo "berth check on ${volume%%=*}:"
  VOLUME="${volume#*=}/look" LOCAL_DIR="$work/local" MIGRATIONS=none ./target/debug/berth check || true
done
BERTH_TEST_VOLUMES="${safe[*]}" BERTH_TEST_OVERWRITING="${overwriting[*]}" \
  cargo test --test it -- --nocapture --test-threads 1 shared_log::volumes
