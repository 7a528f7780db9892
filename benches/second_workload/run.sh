#!/usr/bin/env bash
# run.sh LEASEWATCH [SEED…]: makes the logs that are missing, has each analyzed, prints recall and false alarms.
# DATA=FOLDER keeps the logs (some 60 MB a seed); LIST=N lists so many misses and false alarms.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${1:?path of the leasewatch binary}"); shift
[ $# -gt 0 ] || set -- 1 2 3 4
data=${DATA:-$(mktemp -d)}
[ -n "${DATA:-}" ] || trap 'rm -rf "$data"' EXIT
mkdir -p "$data"
for seed in "$@"; do
  [ -s "$data/s$seed.json" ] || python3 "$here/gen.py" "$seed" "$data/s$seed.log.zst" "$data/s$seed.json"
done
LIST=${LIST:-0} python3 "$here/evaluate.py" "$bin" "$data" "$@"
