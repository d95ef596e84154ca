#!/bin/sh
# bare_build.sh FOLDER NVCC INCLUDES: builds gpu_check as a GPU machine would, with headers from the
# pack alone, and holds that nothing of Qt, HDF5 or of a package's Eigen, nlohmann, oneTBB, Highway
# or GoogleTest was read. INCLUDES: folders among which one has Eigen/ and one nlohmann/.
set -eu
folder=$1 nvcc=$2 includes=$3
here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$folder"
mkdir -p "$folder/include"
cmake -DINCLUDES="$includes" -DPACK="$folder/pack" -P "$here/pack.cmake"
(cd "$folder/include" && cmake -E tar xzf ../pack/include.tar.gz)

# No variable of the developer's reaches it. What is read does not hang on optimization, time does.
# For the oldest GPU: the developer's build is for the newest.
bare() { env -i PATH=/usr/local/bin:/usr/bin:/bin "$@"; }
bare sh "$here/configure.sh" "$folder/build" "$nvcc" 80 "$folder/include" None
bare cmake --build "$folder/build" --target gpu_check --parallel "$(getconf _NPROCESSORS_ONLN)"

[ "$(find "$folder/build" -name '*.d' | wc -l)" -gt 50 ]
if find "$folder/build" -name '*.d' -exec cat {} + | tr ' ' '\n' |
  grep -E '/(eigen3|hdf5|qt6|QtCore|tbb|oneapi|hwy|gtest|nlohmann)/|/Eigen/' |
  grep -v "^$folder/include/" | sort -u | grep .; then
  echo "bare_build.sh: these were read and are not in the pack" >&2
  exit 1
fi
for package in Qt6_DIR HDF5_DIR Eigen3_DIR nlohmann_json_DIR TBB_DIR GTest_DIR; do
  if grep -q "^$package:" "$folder/build/CMakeCache.txt"; then
    echo "bare_build.sh: $package was looked for" >&2
    exit 1
  fi
done

# Here there is no GPU, or there is: it starts, and says which.
program=$folder/build/tests/gpu_check/gpu_check
"$program" --help | grep -q -- --quick
