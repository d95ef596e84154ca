// How the tests of this folder run: core on one thread, for its own are not instrumented and the
// thread sanitizer would see races between them; and without cuBLASLt, which would take the shim's
// memory for a GPU's.
#include <cstdlib>
#include <gtest/gtest.h>

#include "core/base/parallel.h"

namespace {

class Surroundings : public testing::Environment {
 public:
  void SetUp() override {
    qaq::set_thread_count(1);
    setenv("QAQ_CUBLASLT", "none", 1);
  }
};

[[maybe_unused]] const testing::Environment* const kSurroundings =
    testing::AddGlobalTestEnvironment(new Surroundings);

}  // namespace
