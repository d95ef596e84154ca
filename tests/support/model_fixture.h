#pragma once

#include <gtest/gtest.h>
#include <optional>
#include <string>

namespace qaq::test {

/// Path of SmolLM2-135M-Instruct in the model cache (`qaq model fetch smollm2-135m` brings it), or
/// nothing where it is not there. With the environment variable QAQ_REQUIRE_MODEL=1 its absence is
/// a failure of the running test, so that a machine that must not skip cannot skip unseen.
std::optional<std::string> smollm2_path();

}  // namespace qaq::test

/// Declares `path` (std::string) as the model's path, or skips the running test and says why.
#define QAQ_SMOLLM2_OR_SKIP(path)                                                                \
  const std::optional<std::string> path##_found = qaq::test::smollm2_path();                     \
  if (!path##_found) {                                                                           \
    GTEST_SKIP() << "smollm2-135m is not in the model cache; run: qaq model fetch smollm2-135m"; \
  }                                                                                              \
  const std::string& path = *path##_found
