#pragma once

#include <utility>

#include "tests/gpu/simt/scheduler.h"

/// The one way to launch a kernel. Arguments are copied when it is queued, as CUDA does.
template <class... Params, class... Args>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Params...),
                               Args&&... args) {
  return simt::submit_launch(
      config->stream,
      {.kernel = reinterpret_cast<const void*>(kernel),
       .grid = config->gridDim,
       .block = config->blockDim,
       .shared_bytes = config->dynamicSmemBytes,
       .body = [kernel, ... copies = static_cast<Params>(args)] { kernel(copies...); }});
}

template <class... Params>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Params...), cudaFuncAttribute attribute,
                                 int value) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}
