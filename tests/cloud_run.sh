#!/usr/bin/env bash
# Cloud Run: gcloud knows every flag of `make deploy-cloud-run`, and the flags say what k8s/cloud-run/*.yaml say.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "skipped: $*"; exit 0; }
command -v gcloud >/dev/null || skip "the flags of gcloud run deploy (gcloud is not installed)"
python=target/python/bin/python
"$python" -c 'import yaml' 2>/dev/null || skip "the flags of gcloud run deploy (tests/requirements.txt is not installed: make test does)"

for kind in cloud-storage nfs dsn; do
  # The values are those that stand in the manifests.
  line=$(make -s -n deploy-cloud-run KIND="$kind" SERVICE=berth REGION=REGION \
    IMAGE=REGION-docker.pkg.dev/PROJECT/berth/berth:latest BUCKET=BUCKET NFS=FILESTORE_IP:/SHARE NETWORK=NETWORK \
    SUBNETWORK=SUBNETWORK CLOUD_SQL=PROJECT:REGION:INSTANCE)
  CLOUDSDK_CORE_DISABLE_PROMPTS=1 gcloud meta lint-gcloud-commands --command-string="$line" 2>/dev/null |
    "$python" tests/manifests/cloud_run.py "k8s/cloud-run/$kind.yaml"
done
