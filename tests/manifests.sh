#!/usr/bin/env bash
# Builds every overlay of k8s/ and every combination with a component, and checks them: schemas of Kubernetes and of the
# custom resources, what Knative's admission refuses, and that berth has the metrics that alerts and dashboard name.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "skipped: $*"; exit 0; }
if kubectl kustomize --help >/dev/null 2>&1; then build() { kubectl kustomize "$1"; }
elif command -v kustomize >/dev/null; then build() { kustomize build "$1"; }
else skip "manifests (neither kubectl nor kustomize is installed)"; fi
python=target/python/bin/python
"$python" -c 'import kubernetes_validate, promql_parser' 2>/dev/null || skip "manifests (tests/requirements.txt is not installed: make test does)"

work=target/manifests
rm -rf "$work"
mkdir -p "$work"
combine() { # name overlay component…
  mkdir -p "$work/$1.d"
  { printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../../k8s/%s]\ncomponents:\n' "$2"
    printf -- '- ../../../k8s/components/%s\n' "${@:3}"; } > "$work/$1.d/kustomization.yaml"
  build "$work/$1.d" > "$work/$1.yaml"
}
for overlay in in-place shared-log external-dsn deployment; do build "k8s/$overlay" > "$work/$overlay.yaml"; done
build k8s/knative-features > "$work/features.yml"
combine in-place-watched in-place pod-monitor alerts dashboard
combine shared-log-nfs shared-log volume-nfs pod-monitoring
combine shared-log-bucket shared-log volume-cloud-storage
combine external-dsn-proxy external-dsn cloud-sql-proxy
combine deployment-watched deployment service-monitor alerts
for store in shared-log external-dsn; do combine "deployment-$store" base/deployment "$store"; done
combine deployment-bucket base/deployment shared-log volume-cloud-storage

# A berth that has done something of everything that alerts name.
cargo build --quiet --bin berth
data=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
base=http://127.0.0.1:$port
env -i PATH="$PATH" PORT="$port" HOST=127.0.0.1 VOLUME="$data" VOLUME_MODE=shared-log LOCAL_DIR="$data/local" LOG_FORMAT=json \
  MIGRATIONS=migrations target/debug/berth serve > "$work/log" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 600); do curl -sf "$base/-/ready" >/dev/null && break; sleep 0.1; done
curl -sf "$base/films?limit=1" >/dev/null
curl -sf "$base/reviews" -H 'Content-Type: application/json' -d '{"film_id":1,"stars":5}'
curl -s "$base/no_such_table" >/dev/null
curl -sf "$base/-/metrics" > "$work/metrics"

"$python" tests/manifests/check.py "$work/features.yml" "$work/metrics" "$work"/*.yaml
