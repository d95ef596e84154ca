// Every policy of the registry through a replay: what holds for all, and the rivals' sizes by hand.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/policies.h"
#include "core/quant/cache_codec.h"
#include "core/replay/cache_replay.h"
#include "core/replay/replayer.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::uint32_t kSeed = 20240306;

std::shared_ptr<const CachePolicy> made(std::string_view name,
                                        std::vector<std::string> assignments = {}) {
  return make_policy(name, assignments);
}

struct RivalCase {
  std::string policy;
  std::vector<std::string> assignments;
  SyntheticShape shape;
  std::int64_t prefix = 0;
};

std::ostream& operator<<(std::ostream& out, const RivalCase& c) {
  out << c.policy;
  for (const std::string& each : c.assignments) out << ' ' << each;
  return out << ", " << c.shape.n_heads << " over " << c.shape.n_kv_heads << " heads, "
             << c.shape.n_tokens << " tokens, prefix " << c.prefix;
}

// Each policy with its defaults and with groups that leave short ones and a residual.
std::vector<RivalCase> rival_cases() {
  const std::vector<SyntheticShape> shapes{
      {.n_heads = 9, .n_kv_heads = 3, .n_tokens = 37, .head_dim = 32},
      {.n_heads = 8, .n_kv_heads = 8, .n_tokens = 150, .head_dim = 32},
      {.n_heads = 8, .n_kv_heads = 1, .n_tokens = 20, .head_dim = 64},
      {.n_heads = 4, .n_kv_heads = 2, .n_tokens = 1, .head_dim = 32}};
  std::vector<RivalCase> out;
  for (const SyntheticShape& shape : shapes) {
    for (const PolicyEntry& each : policies()) {
      out.push_back({std::string(each.name), {}, shape});
      out.push_back({std::string(each.name), {}, shape, (shape.n_tokens + 1) / 2});
    }
    out.push_back({"kivi", {"group_size=8", "residual_length=16"}, shape});
    out.push_back({"uniform", {"axis=channel", "group_size=12", "bits=3"}, shape});
    out.push_back({"q4_0", {"cache_type_v=f16", "rotate=hadamard"}, shape});
    out.push_back({"scissorhands", {"budget=8", "recent_window=2"}, shape});
    out.push_back({"streaming_llm", {"start_size=1", "recent_size=5"}, shape});
    out.push_back({"snapkv", {"window_size=3", "max_capacity_prompt=8"}, shape});
    for (const char* name :
         {"knorm", "tova", "observed_attention", "expected_attention", "random"}) {
      out.push_back({name, {"compression_ratio=0.6"}, shape});
    }
    // Every pair that goes together: what quantizes, and what evicts behind it.
    for (const PolicyEntry& keeping : policies()) {
      if (keeping.evicts || keeping.name == "kvquant") continue;
      for (const PolicyEntry& evicting : policies()) {
        if (!evicting.evicts) continue;
        RivalCase both{cat(keeping.name, "+", evicting.name), {}, shape};
        for (const Parameter& parameter : evicting.parameters()) {
          if (parameter.name == "compression_ratio" && evicting.name != "pyramidkv" &&
              evicting.name != "adakv") {
            both.assignments.push_back("compression_ratio=0.5");
          }
        }
        out.push_back(both);
      }
    }
  }
  return out;
}

class Rivals : public testing::TestWithParam<RivalCase> {
 protected:
  ReplayOptions options() const {
    return {{}, GetParam().prefix, made(GetParam().policy, GetParam().assignments)};
  }
  MemoryCapture capture_ = synthetic_capture(GetParam().shape, kSeed);
};

TEST_P(Rivals, ErrorsAreThoseOfWhatIsReadBack) {
  Replayer replayer(capture_);
  const SharedReplay result = replayer.full(options());
  EXPECT_EQ(result->policy, GetParam().policy);
  const PlannedCaches plans = replayer.plans(options());
  const std::int64_t prefix = result->prefix;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const CacheReplay& of = side == CacheSide::key ? result->key : result->value;
    const PlannedCache& plan = side == CacheSide::key ? plans.key : plans.value;
    double sum = 0;
    std::int64_t n_evicted = 0;
    for (std::int64_t layer = 0; layer < GetParam().shape.n_layers; ++layer) {
      const auto exact = exact_layer(capture_, side, layer),
                 read = quantized_layer(capture_, plan, layer);
      for (std::int64_t head = 0; head < exact->shape(0); ++head) {
        for (std::int64_t token = 0; token < exact->shape(1); ++token) {
          double row = 0;
          for (std::int64_t i = 0; i < exact->shape(2); ++i) {
            const double error = double{(*read)(head, token, i)} - (*exact)(head, token, i);
            ASSERT_TRUE(std::isfinite(error));
            row += error * error;
          }
          if (token >= prefix) {
            ASSERT_EQ(row, 0) << "token " << token << " is behind the prefix";
          }
          if (of.bits(layer, head, token) == CacheReplay::kEvicted) {
            ASSERT_TRUE(std::isnan(of.error(layer, head, token)));
            ASSERT_LT(token, prefix);
            ++n_evicted;
            continue;
          }
          if (of.bits(layer, head, token) == result->dtype_bits) {
            ASSERT_EQ(row, 0) << "token " << token << " is left exact";
          }
          sum += row;
        }
      }
    }
    EXPECT_EQ(of.n_values - of.n_kept, n_evicted * capture_.info().shape.head_dim);
    EXPECT_GT(of.n_kept, 0);
    EXPECT_NEAR(of.quantization_error, sum / static_cast<double>(of.n_kept), 1e-6 * sum + 1e-12);
    EXPECT_LE(of.mean_bits, result->dtype_bits);
    EXPECT_GT(of.packed.total(), 0);
  }
  ASSERT_TRUE(result->mean_output_error);
  EXPECT_TRUE(std::isfinite(*result->mean_output_error));
}

TEST_P(Rivals, AreTheSameOnAnyNumberOfThreads) {
  std::vector<SharedReplay> results;
  for (const int n : {1, 3}) {
    set_thread_count(n);
    results.push_back(Replayer(capture_).full(options()));
  }
  set_thread_count(0);
  EXPECT_EQ(results[0]->key.quantization_error, results[1]->key.quantization_error);
  EXPECT_EQ(results[0]->value.quantization_error, results[1]->value.quantization_error);
  EXPECT_EQ(results[0]->mean_output_error, results[1]->mean_output_error);
  EXPECT_EQ(results[0]->key.packed, results[1]->key.packed);
  EXPECT_TRUE(std::ranges::equal(results[0]->key.bits.span(), results[1]->key.bits.span()));
}

INSTANTIATE_TEST_SUITE_P(Policies, Rivals, testing::ValuesIn(rival_cases()));

// 2 layers of 3 KV heads, 300 tokens, D = 32: per head 256 keys in two groups of 128 tokens a
// channel, 44 exact; 172 values in one group a token, 128 exact (section 8, kivi).
TEST(RivalSizes, OfKiviAreItsFormula) {
  const MemoryCapture capture = synthetic_capture(
      {.n_layers = 2, .n_heads = 3, .n_kv_heads = 3, .n_tokens = 300, .head_dim = 32}, kSeed);
  const SharedReplay result = Replayer(capture).planned({{}, 0, made("kivi")});
  const std::int64_t heads = 6, exact = bytes_of(capture.info().dtype);
  EXPECT_EQ(result->key.packed.payload, heads * (256 * 32 * 2 / 8 + 44 * 32 * exact));
  EXPECT_EQ(result->key.packed.scales, heads * 2 * 32 * 4);
  EXPECT_EQ(result->value.packed.payload, heads * (172 * 32 * 2 / 8 + 128 * 32 * exact));
  EXPECT_EQ(result->value.packed.scales, heads * 172 * 4);
  EXPECT_EQ(result->key.bits(1, 2, 255), 2);
  EXPECT_EQ(result->key.bits(1, 2, 256), 16);
  EXPECT_EQ(result->value.bits(0, 0, 171), 2);
  EXPECT_EQ(result->value.bits(0, 0, 172), 16);
  EXPECT_DOUBLE_EQ(result->key.mean_bits, (256 * 2 + 44 * 16) / 300.0);
}

TEST(RivalSizes, OfBlocksAreEightAndAHalfAndFourAndAHalfBits) {
  const MemoryCapture capture = synthetic_capture({.head_dim = 64}, kSeed);
  EXPECT_DOUBLE_EQ(Replayer(capture).planned({{}, 0, made("q8_0")})->ratio_packed, 16 / 8.5);
  EXPECT_DOUBLE_EQ(Replayer(capture).planned({{}, 0, made("q4_0")})->ratio_packed, 16 / 4.5);
  EXPECT_DOUBLE_EQ(Replayer(capture)
                       .planned({{}, 0, made("uniform", {"bits=2", "group_size=32"})})
                       ->ratio_packed,
                   16 / 3.0);
}

TEST(Policies, AreNamedOnceAndTellTheirParameters) {
  std::vector<std::string> names = policy_names();
  EXPECT_EQ(names.front(), "qaq");
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  for (const PolicyEntry& each : policies()) {
    const auto policy = each.make({});
    EXPECT_EQ(policy->name(), each.name);
    EXPECT_EQ(parameters_json(policy->parameters()), parameters_json(each.parameters()));
    for (const Parameter& parameter : each.parameters()) {
      EXPECT_FALSE(parameter.info.help.empty()) << each.name << ' ' << parameter.name;
    }
  }
}

TEST(Policies, RefuseWhatMakesNoSense) {
  EXPECT_NE(refusal([] { policy_named("kiwi"); }, ErrorKind::usage).find("did you mean kivi?"),
            std::string::npos);
  EXPECT_NE(refusal([] { made("kivi", {"group_sise=4"}); }, ErrorKind::usage).find("group_size"),
            std::string::npos);
  const MemoryCapture capture = synthetic_capture({.head_dim = 24}, kSeed);
  const auto why = [&](std::string_view name, std::vector<std::string> assignments) {
    return refusal(
        [&] {
          Replayer(capture).planned({{}, 0, made(name, assignments)});
        },
        ErrorKind::usage);
  };
  EXPECT_NE(why("q8_0", {}).find("32"), std::string::npos);
  EXPECT_NE(why("kivi", {"group_size=24", "residual_length=36"}).find("multiple"),
            std::string::npos);
}

}  // namespace
}  // namespace qaq::test
