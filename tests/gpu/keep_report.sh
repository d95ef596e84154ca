#!/bin/sh
# keep_report.sh FOLDER NVCC ARGUMENTS...: runs nvcc, keeps the PTX on its way in FOLDER and ptxas'
# report in FOLDER/STEM.ptxas. Everything else that nvcc says is said.
set -u
folder=$1
shift
previous='' source=''
for argument; do
  [ "$previous" != -c ] || source=$argument
  previous=$argument
done
if [ -z "$source" ]; then exec "$@"; fi
report=$folder/$(basename "$source" .cu).ptxas
status=0
"$@" -Xptxas=-v --keep --keep-dir "$folder" 2>"$report" || status=$?
grep -v -e '^ptxas info' -e '^    [0-9]* bytes stack frame' "$report" >&2
exit $status
