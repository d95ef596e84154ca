// kvquant through a replay: calibrated on itself or on another capture.
#include <cmath>
#include <gtest/gtest.h>

#include "core/policy/policies.h"
#include "core/replay/calibrate.h"
#include "core/replay/replayer.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr SyntheticShape kShape{
    .n_layers = 2, .n_heads = 9, .n_kv_heads = 3, .n_tokens = 211, .head_dim = 32};

SharedReplay replayed(const CaptureView& capture, std::vector<std::string> assignments) {
  return Replayer(capture).full({{}, 0, make_policy("kvquant", assignments)});
}

// Calibrated on what is replayed, the share of outliers is 1 - thr: of keys each channel has the
// percentiles' ends, of values each token (section 8, kvquant, invariant).
TEST(Kvquant, KeepsTheShareOfOutliersThatWasAskedFor) {
  const MemoryCapture capture = synthetic_capture(kShape, 7);
  for (const double threshold : {0.9, 0.99}) {
    const SharedReplay result =
        replayed(capture, {"sparsity_threshold=" + std::to_string(threshold)});
    const auto share = [](const CacheReplay& cache) {
      return static_cast<double>(cache.n_outliers) / static_cast<double>(cache.n_values);
    };
    EXPECT_NEAR(share(result->key), 1 - threshold, 2.0 / 211);
    EXPECT_NEAR(share(result->value), 1 - threshold, 2.0 / 96);
    EXPECT_EQ(result->key.mean_bits, 4);
  }
}

TEST(Kvquant, LosesLessWithMoreBits) {
  const MemoryCapture capture = synthetic_capture(kShape, 7);
  double key = HUGE_VAL, value = HUGE_VAL;
  for (const char* bits : {"abits=2", "abits=3", "abits=4", "abits=5"}) {
    const SharedReplay result = replayed(capture, {bits});
    EXPECT_LT(result->key.quantization_error, 1.01 * key);
    EXPECT_LT(result->value.quantization_error, 1.01 * value);
    key = result->key.quantization_error;
    value = result->value.quantization_error;
  }
}

TEST(Kvquant, LearnsFromAnotherCapture) {
  const MemoryCapture capture = synthetic_capture(kShape, 7), other = synthetic_capture(kShape, 8);
  const auto policy = make_policy("kvquant", std::vector<std::string>{"abits=3"});
  const auto own = calibrated_on(*policy, capture, {}), learned = calibrated_on(*policy, other, {});
  const auto error = [&](const std::shared_ptr<const CachePolicy>& by) {
    return Replayer(capture).full({{}, 0, by})->key.quantization_error;
  };
  EXPECT_EQ(error(own), error(policy)) << "calibrated on what is replayed";
  EXPECT_GT(error(learned), error(policy)) << "channels whose ends are others";
  EXPECT_LT(error(learned), 3 * error(policy));
  EXPECT_NE(refusal([&] { calibrated_on(*make_policy("q8_0", {}), other, {}); }, ErrorKind::usage)
                .find("learns nothing"),
            std::string::npos);
  const MemoryCapture shallow = synthetic_capture(
      {.n_layers = 1, .n_heads = 9, .n_kv_heads = 3, .n_tokens = 20, .head_dim = 32});
  EXPECT_NE(refusal([&] { error(calibrated_on(*policy, shallow, {})); }, ErrorKind::usage)
                .find("is of 1 layers"),
            std::string::npos);
}

TEST(Kvquant, RefusesRopeThatItCannotTurnBack) {
  CaptureInfo info = synthetic_info(kShape);
  info.rope_theta = 10000;
  const MemoryCapture capture(info, synthetic_arrays(kShape, 7));
  EXPECT_NE(refusal([&] { replayed(capture, {}); }, ErrorKind::input).find("stretches RoPE"),
            std::string::npos);
}

}  // namespace
}  // namespace qaq::test
