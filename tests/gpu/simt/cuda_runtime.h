// Stands in for CUDA's <cuda_runtime.h> where a kernel file is compiled by a plain C++ compiler:
// this folder comes before the toolkit's on the include path. How it works: README.md.
#pragma once

// Types, layouts, roundings and signatures are the toolkit's own. Runtime functions that the shim
// does not define are a link error.
#include <cuda_runtime_api.h>
#include <vector_functions.h>
// After the two above, which define what these need.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "tests/gpu/simt/async_copy.h"
#include "tests/gpu/simt/atomics.h"
#include "tests/gpu/simt/collectives.h"
#include "tests/gpu/simt/intrinsics.h"
#include "tests/gpu/simt/launch.h"
#include "tests/gpu/simt/mma.h"
#include "tests/gpu/simt/qualifiers.h"
#include "tests/gpu/simt/scheduler.h"
#include "tests/gpu/simt/simt.h"
