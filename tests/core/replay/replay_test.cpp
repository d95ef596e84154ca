// Metrics of a replay, and the reference replay's errors of keys and values.
#include "core/replay/replay.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/support/quantized_cache.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

TEST(ReplayOracle, KeyAndValueErrorsOfThePrefix) {
  const MemoryCapture capture =
      narrative_cache(ReferenceFile(test_data_path("oracle/qaq_reference_narrative.h5")));
  const nlohmann::json oracle = test_data_json("oracle/qaq_replay_narrative.json");
  double largest = 0, largest_bits = 0;
  int n_compared = 0;
  const auto compare = [&](const nlohmann::json& reference, const std::string& name,
                           const CacheReplay& ours) {
    const double error = reference.at(name + "_quantization_error");
    const double bits = reference.at(name + "_average_n_bits");
    const double size = reference.at(name + "_size_per_token_bits");
    EXPECT_NEAR(ours.quantization_error, error, 2e-5 * error);
    EXPECT_NEAR(ours.average_n_bits, bits, 1e-6 * bits);
    EXPECT_NEAR(ours.size_per_token_bits, size, 1e-6 * size);
    if (error > 0) largest = std::max(largest, std::abs(ours.quantization_error / error - 1));
    largest_bits = std::max(largest_bits, std::abs(ours.average_n_bits / bits - 1));
    ++n_compared;
  };
  for (const nlohmann::json& reference : oracle.at("cases")) {
    SCOPED_TRACE(reference.at("title").get<std::string>());
    ReplayOptions options{reference_params(reference), oracle.at("prefix_length")};
    // This capture holds no attention, so the values' bits are out of reach where they need it.
    const bool values_too = options.params.value.level == Level::no_quantization ||
                            !options.params.value.use_attentions;
    if (!values_too) options.params.value.level = Level::no_quantization;
    const auto result = replay(capture, options);
    compare(reference, "key", result->key);
    if (values_too) compare(reference, "value", result->value);
  }
  EXPECT_EQ(n_compared, 8 + 5);
  std::cout << "largest deviation, qaq_replay_narrative: " << n_compared
            << " caches, quantization_error " << largest << " relative, average_n_bits "
            << largest_bits << "\n";
}

TEST(MetricsJson, HasTheAuthorsNamesInTheirOrderThenOurs) {
  const nlohmann::ordered_json metrics = metrics_json(*replay(synthetic_capture(), {}));
  const std::vector<std::string> authors{"accuracy",
                                         "accuracy_confidence",
                                         "answer_log_probability",
                                         "quantization_error",
                                         "key_quantization_error",
                                         "value_quantization_error",
                                         "attention_error",
                                         "logit_error",
                                         "average_n_bits",
                                         "key_average_n_bits",
                                         "value_average_n_bits",
                                         "average_size",
                                         "key_average_size",
                                         "value_average_size"};
  std::vector<std::string> names;
  for (const auto& [name, value] : metrics.items()) names.push_back(name);
  ASSERT_GE(names.size(), authors.size());
  EXPECT_TRUE(std::equal(authors.begin(), authors.end(), names.begin()));
  for (const char* name :
       {"accuracy", "accuracy_confidence", "answer_log_probability", "logit_error"}) {
    EXPECT_TRUE(metrics.at(name).is_null()) << name << " needs a forward pass";
  }
  for (const char* name : {"output_error", "ratio_paper", "ratio_nominal", "ratio_packed",
                           "key_mean_bits", "value_outlier_share", "attention_error"}) {
    EXPECT_TRUE(metrics.at(name).is_number()) << name;
  }
  EXPECT_EQ(metrics.at("prefix"), 24);
  EXPECT_EQ(metrics.at("in_sample"), true);
}

TEST(MetricsJson, UnprefixedNamesAreTheMeanOfKeyAndValue) {
  ReplayOptions options;
  options.params.key.use_attentions = false;
  options.params.key.n_bits_uniform = 7;
  const nlohmann::ordered_json m = metrics_json(*replay(synthetic_capture(), options));
  for (const std::string name : {"quantization_error", "average_n_bits", "average_size"}) {
    EXPECT_NE(m.at("key_" + name), m.at("value_" + name));
    EXPECT_DOUBLE_EQ(m.at(name),
                     (m.at("key_" + name).get<double>() + m.at("value_" + name).get<double>()) / 2);
  }
}

TEST(MetricsJson, PackedPartsAddUp) {
  const auto result = replay(synthetic_capture(), {});
  const nlohmann::ordered_json metrics = metrics_json(*result);
  for (const char* side : {"key_packed_bytes", "value_packed_bytes"}) {
    std::int64_t sum = 0;
    for (const auto& [part, n_bytes] : metrics.at(side).items()) {
      if (part != "total") sum += n_bytes.get<std::int64_t>();
    }
    EXPECT_EQ(metrics.at(side).at("total"), sum);
  }
}

TEST(Ratios, AreThoseOfThePaperAtItsSetting) {
  // 2 bits, 1 % outliers, head units of 128: 7.477, 6.69 and 5.22 (section 6), here with float32
  // scales: 53 bytes instead of 49.
  const SyntheticShape shape{
      .n_layers = 2, .n_heads = 2, .n_kv_heads = 2, .n_tokens = 30, .head_dim = 128};
  CaptureInfo info = synthetic_info(shape);
  info.dtype = DType::f16;
  const MemoryCapture capture(std::move(info), synthetic_arrays(shape, 1));
  ReplayOptions options;
  for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
    side->n_bits_min = 1;
    side->n_bits_max = 2;
    side->target_quantization_error = 1e-6;
  }
  const auto result = replay(capture, options);
  EXPECT_EQ(result->key.mean_bits, 2);
  EXPECT_EQ(result->value.mean_bits, 2);
  EXPECT_NEAR(result->ratio_paper, 7.477, 5e-4);
  EXPECT_NEAR(result->ratio_nominal, 6.69, 5e-3);
  EXPECT_NEAR(result->ratio_packed, 256.0 / 53, 1e-9);
}

TEST(Ratios, CountSixteenBitsWhateverTheDtypeBits) {
  const MemoryCapture capture = synthetic_capture();
  ReplayOptions options;
  const auto sixteen = replay(capture, options);
  options.params.dtype_bits = 32;
  const auto thirty_two = replay(capture, options);
  EXPECT_EQ(sixteen->ratio_paper, thirty_two->ratio_paper);
  EXPECT_EQ(sixteen->ratio_nominal, thirty_two->ratio_nominal);
  EXPECT_LT(sixteen->key.average_n_bits, thirty_two->key.average_n_bits);
  EXPECT_EQ(sixteen->key.quantization_error, thirty_two->key.quantization_error);
}

TEST(Ratios, OfAnExactHalfCacheAreOne) {
  const SyntheticShape shape;
  CaptureInfo info = synthetic_info(shape);
  info.dtype = DType::bf16;
  const MemoryCapture capture(std::move(info), synthetic_arrays(shape, 1));
  ReplayOptions options;
  options.params.key.level = options.params.value.level = Level::no_quantization;
  const auto result = replay(capture, options);
  EXPECT_EQ(result->ratio_paper, 1);
  EXPECT_EQ(result->ratio_nominal, 1);
  EXPECT_EQ(result->ratio_packed, 1);
  EXPECT_EQ(result->key.quantization_error, 0);
  EXPECT_EQ(result->key.bits(1, 1, 3), 16);
}

}  // namespace
}  // namespace qaq::test
