#!/usr/bin/env bash
# Fuzzes one target from its seeds: fuzz/run.sh TARGET [SECONDS]. What it finds lies in fuzz/artifacts/TARGET.
# JOBS: with 1 or more, as many processes go on after a finding; with 0 (the default) the first one ends the run.
# FUZZ_ARGUMENTS are given to libFuzzer.
set -euo pipefail
cd "$(dirname "$0")"

target=$1
seconds=${2:-600}
corpus=corpus/$target
# What is fuzzed has the versions that are shipped.
cp ../Cargo.lock .
mkdir -p "$corpus"
dictionary=()
case $target in
  request | plan | answer)
    csplit -s -z -f "$corpus/seed-" --suppress-matched seeds/requests.txt '/^===$/' '{*}'
    # The last line feed of each belongs to the file of seeds.
    for seed in "$corpus"/seed-*; do printf %s "$(cat "$seed")" > "$seed"; done
    dictionary=(-dict=seeds/words.dict)
    ;;
  migration)
    cat ../migrations/*.sql ../tests/it/*/*.sql | csplit -s -z -f "$corpus/seed-" -n 4 - '/;$/+1' '{*}'
    ;;
esac
jobs=()
[ "${JOBS:-0}" = 0 ] || jobs=(-fork="$JOBS" -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1)
read -ra arguments <<< "${FUZZ_ARGUMENTS:-}"
# The databases of the targets lie in memory.
[ -d /dev/shm ] && export TMPDIR=/dev/shm
# The pinned toolchain is a stable one; the sanitizer is asked for as on nightly.
RUSTC_BOOTSTRAP=1 cargo fuzz run "$target" "$corpus" -- -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 \
  -max_len=4096 "${jobs[@]}" "${dictionary[@]}" "${arguments[@]}"
