#!/bin/sh
# check_on_shim.sh PYTHON ROOT FOLDER PROGRAM: the reference arrays, then gpu_check on the host's
# shim, then what its report says.
set -eu
python=$1 root=$2 folder=$3 program=$4

rm -rf "$folder"
cd "$root"
"$python" tests/gpu_check/oracle.py "$folder/oracle"
"$program" --shim --data tests/data --oracle "$folder/oracle" --out "$folder" | tee "$folder/table.txt"
tail -n 1 "$folder/table.txt" | grep -q '^PASS'
"$python" -c 'import json, sys; assert json.load(open(sys.argv[1]))["rows"]' "$folder/gpu_check.json"
# Wrong usage is exit code 2.
set +e
"$program" --nonsense 2>/dev/null
[ $? = 2 ]
