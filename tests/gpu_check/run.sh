#!/bin/sh
# Builds gpu_check on a machine with an NVIDIA GPU and runs it, from the repository root:
#   sh tests/gpu_check/run.sh [arguments of gpu_check]
# Needs nvcc, CMake, a C++20 compiler, Python 3 with numpy and h5py, and .gpu, which the target
# gpu_pack fills on the developer's machine. No network. OUT is the report's folder.
set -eu

build=build-gpu
out=${OUT:-$build/report}

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

[ -f tests/gpu_check/run.sh ] || fail "run it from the repository root"

nvcc=$(command -v nvcc || true)
[ -n "$nvcc" ] || nvcc=/usr/local/cuda/bin/nvcc
[ -x "$nvcc" ] || fail "no nvcc on PATH or in /usr/local/cuda/bin: install the CUDA Toolkit"
command -v cmake >/dev/null || fail "no cmake on PATH: 3.25 or newer is needed"
command -v python3 >/dev/null || fail "no python3 on PATH"
python3 -c 'import h5py, numpy' 2>/dev/null || fail "python3 lacks numpy or h5py"
command -v nvidia-smi >/dev/null || fail "no nvidia-smi on PATH: no NVIDIA driver"

capabilities=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader) ||
  fail "nvidia-smi finds no GPU"
architecture=$(printf '%s\n' "$capabilities" | head -n 1 | tr -d '. ')
case $architecture in
  '' | *[!0-9]*) fail "nvidia-smi gives no compute capability, but '$capabilities'" ;;
esac

# cuBLASLt where the loader does not look: beside nvcc, or in Python's packages. Without it products
# are our own, and the table says so.
find_cublas() {
  ! ldconfig -p 2>/dev/null | grep -q 'libcublasLt\.so\.1[23]' || return 0
  toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
  {
    ls "$toolkit"/lib64/libcublasLt.so.1[23] "$toolkit"/targets/*/lib/libcublasLt.so.1[23] 2>/dev/null
    python3 -c 'import glob, sys
for path in filter(None, sys.path):
    print(*glob.glob(path + "/nvidia/c*/lib/libcublasLt.so.1[23]"), sep="\n")'
  } | grep . | head -n 1
}
if [ -z "${QAQ_CUBLASLT:-}" ]; then
  library=$(find_cublas)
  [ -z "$library" ] || export QAQ_CUBLASLT="$library"
fi

if [ ! -f .gpu/include/Eigen/Core ]; then
  [ -f .gpu/include.tar.gz ] ||
    fail "no .gpu/include.tar.gz: build the target gpu_pack on the developer's machine and copy .gpu"
  mkdir -p .gpu/include
  (cd .gpu/include && cmake -E tar xzf ../include.tar.gz)
fi

sh tests/gpu_check/configure.sh "$build" "$nvcc" "$architecture" "$PWD/.gpu/include"
cmake --build "$build" --target gpu_check --parallel "$(getconf _NPROCESSORS_ONLN)"
program=$build/tests/gpu_check/gpu_check

python3 tests/gpu_check/oracle.py "$build/oracle"

# Before gpu_check, so that its verdict is the last line.
if python3 -c 'import torch' 2>/dev/null; then
  quick=
  case " $* " in *" --quick "*) quick=--quick ;; esac
  python3 tests/gpu_check/rival.py --out "$out" $quick || echo "run.sh: rival.py failed; going on" >&2
else
  echo "run.sh: python3 has no torch: no rows of a rival"
fi

# Memory that kernels touch, and shared memory that their threads race for, over the smallest cases.
sanitizer=$(command -v compute-sanitizer || true)
[ -n "$sanitizer" ] || sanitizer=$(dirname "$(readlink -f "$nvcc")")/compute-sanitizer
found_by=
sanitize() {
  log=$out/$1.txt
  mkdir -p "$out"
  status=0
  timeout 120 "$sanitizer" --tool "$1" --error-exitcode 86 "$program" --shim --data tests/data \
    --oracle "$build/oracle" --slice .gpu/model --model none >"$log" 2>&1 || status=$?
  case $status in
    0) echo "run.sh: compute-sanitizer $1: no errors" ;;
    86)
      found_by="$found_by $1"
      echo "run.sh: compute-sanitizer $1 found errors: $log" >&2
      grep '^=========' "$log" | head -n 20 >&2
      ;;
    124) echo "run.sh: compute-sanitizer $1 was not at its end after 120 s" ;;
    *) echo "run.sh: compute-sanitizer $1 does not work here: $(tail -n 1 "$log")" ;;
  esac
}
case " $* " in
  *" --quick "* | *" --only "*) echo "run.sh: compute-sanitizer is for whole runs alone" ;;
  *)
    if [ -x "$sanitizer" ]; then
      sanitize memcheck
      sanitize racecheck
    else
      echo "run.sh: no compute-sanitizer on PATH or beside nvcc: memory accesses are not checked"
    fi
    ;;
esac

commit=
[ ! -f .gpu/commit ] || commit=$(cat .gpu/commit)
status=0
"$program" --data tests/data --oracle "$build/oracle" --slice .gpu/model \
  --model "$build/smollm2-135m.gguf" --out "$out" --commit "$commit" "$@" || status=$?
[ -z "$found_by" ] || {
  echo "FAIL: compute-sanitizer found errors:$found_by"
  [ "$status" != 0 ] || status=1
}
exit "$status"
