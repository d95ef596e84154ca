#!/bin/sh
# configure.sh BUILD NVCC ARCHITECTURE INCLUDE [TYPE]: a build of gpu_check that needs nothing but a
# compiler, CMake, nvcc and the folder INCLUDE with Eigen/ and nlohmann/. TYPE: CMake's, else Release.
set -eu
exec cmake -S "$(dirname "$0")/../.." -B "$1" -DCMAKE_BUILD_TYPE="${5:-Release}" \
  -DCMAKE_CUDA_COMPILER="$2" -DCMAKE_CUDA_ARCHITECTURES="$3-real" -DQAQ_INCLUDE="$4" \
  -DQAQ_GUI=OFF -DQAQ_HDF5=OFF -DQAQ_TOKENIZERS=OFF -DQAQ_TBB=OFF -DQAQ_BLAS=OFF \
  -DQAQ_HIGHWAY=OFF -DQAQ_TESTS=OFF -DQAQ_UNITY=OFF -DQAQ_CUDA=ON -DQAQ_GPU_CHECK=ON
