#include "gpu/device/error.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq::cuda {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(ErrorKind::work, {.place = "GPU",
                                .what = cat(what, " failed: ", cudaGetErrorString(status)),
                                .cure = "run again; if it stays so, run with --device cpu"});
}

}  // namespace qaq::cuda
