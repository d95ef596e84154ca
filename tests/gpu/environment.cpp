// How the tests of this folder run: core on one thread, for its own are not instrumented and the
// thread sanitizer would see races between them; and without cuBLASLt, which would take the shim's
// memory for a GPU's.
#include <cstdlib>

#include "core/base/parallel.h"

namespace {

const bool kSet = [] {
  qaq::set_thread_count(1);
  return setenv("QAQ_CUBLASLT", "none", 1) == 0;
}();

}  // namespace
