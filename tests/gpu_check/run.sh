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

commit=
[ ! -f .gpu/commit ] || commit=$(cat .gpu/commit)
exec "$program" --data tests/data --oracle "$build/oracle" --slice .gpu/model --out "$out" \
  --commit "$commit" "$@"
