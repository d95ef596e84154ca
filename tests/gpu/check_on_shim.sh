#!/bin/sh
# check_on_shim.sh PYTHON ROOT FOLDER PROGRAM PACK_MODEL [IMPORT_TAPS QAQ]: the reference arrays and,
# where the model is in the cache, its first layers and all of it; then gpu_check on the host's shim,
# and what its report says. Its taps become a capture that holds the same numbers, says what it is
# and replays.
set -eu
python=$1 root=$2 folder=$3 program=$4 pack_model=$5
import_taps=${6:-} qaq=${7:-}

rm -rf "$folder"
cd "$root"
"$python" tests/gpu_check/oracle.py "$folder/oracle"
"$pack_model" "$folder/model" tests/data/oracle/greedy.json
model=$("$pack_model" --file) || model=none
"$program" --shim --data tests/data --oracle "$folder/oracle" --slice "$folder/model" \
  --model "$model" --out "$folder" | tee "$folder/table.txt"
tail -n 1 "$folder/table.txt" | grep -q '^PASS'
"$python" -c 'import json, sys; assert json.load(open(sys.argv[1]))["rows"]' "$folder/gpu_check.json"
# Wrong usage is exit code 2.
status=0
"$program" --nonsense 2>/dev/null || status=$?
[ "$status" = 2 ]

[ -n "$import_taps" ] || exit 0
"$import_taps" "$folder/taps" -o "$folder/taps.h5"
"$python" tests/gpu_check/developer/same_taps.py "$folder/taps" "$folder/taps.h5"
"$qaq" info "$folder/taps.h5" | grep -q 'layers'
"$qaq" replay "$folder/taps.h5" --json > "$folder/replay.json"
"$python" -c 'import json, sys; assert json.load(open(sys.argv[1]))' "$folder/replay.json"
