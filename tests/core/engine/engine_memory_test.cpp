// What an engine takes against what its plan says, and that long prompts make nothing of T x T.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <string>

#include "core/engine/backend.h"
#include "core/engine/cpu_ops.h"
#include "data/models/model_file.h"
#include "tests/core/engine/late_sink.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

std::shared_ptr<const ModelFile> tiny_model(const std::string& type = "f32") {
  return open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-" + type + ".gguf"));
}

std::vector<std::int32_t> token_ids(std::int64_t n) {
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < n; ++i) ids.push_back(static_cast<std::int32_t>(i * 37 % 287));
  return ids;
}

std::int64_t bytes_of(const MemoryPlan& plan, const std::string& name) {
  for (const MemoryItem& item : plan.items) {
    if (item.name == name) return item.bytes;
  }
  return -1;
}

/// Counts what it is asked for.
class CountingOps : public CpuOps {
 public:
  CountingOps(const ModelSpec& spec, const EngineLimits& limits, std::int64_t& weights,
              std::int64_t& activations)
      : CpuOps(spec, limits),
        dequantize_(limits.dequantize_weights),
        weights_(weights),
        activations_(activations) {}
  Tensor load_weight(const WeightView& weight) override {
    weights_ += dequantize_ ? 4 * weight.rows * weight.cols : std::ssize(weight.bytes);
    return CpuOps::load_weight(weight);
  }
  Tensor allocate(std::string_view name, std::int64_t rows, std::int64_t cols,
                  ActivationUse use) override {
    activations_ += 4 * rows * cols;
    return CpuOps::allocate(name, rows, cols, use);
  }

 private:
  bool dequantize_;
  std::int64_t& weights_;
  std::int64_t& activations_;
};

TEST(EngineMemory, WeightsAndActivationsAreThoseOfThePlan) {
  for (const char* type : {"f32", "f16"}) {
    const auto model = tiny_model(type);
    for (const EngineLimits& limits :
         {EngineLimits{.max_tokens = 5, .max_batch = 1}, EngineLimits{300, 100},
          EngineLimits{2000, 2000}, EngineLimits{2000, 700, true}}) {
      std::int64_t weights = 0, activations = 0;
      const Engine engine(
          model, std::make_unique<CountingOps>(model->spec(), limits, weights, activations),
          limits);
      const MemoryPlan plan = make_cpu_backend()->plan(*model, limits);
      EXPECT_EQ(weights, bytes_of(plan, "weights"));
      EXPECT_EQ(activations, bytes_of(plan, "activations"));
      EXPECT_EQ(KvCache(model->spec().shape, limits.max_tokens).bytes(), bytes_of(plan, "cache"));
    }
  }
}

/// Takes everything but, maybe, the attention, and forgets it.
class Drain : public TapSink {
 public:
  explicit Drain(bool attention) : attention_(attention) {}
  bool wants(TapKind what, std::int64_t, std::int64_t, std::int64_t) const override {
    return attention_ || what != TapKind::attention;
  }
  void put(const TapBlock& block) override { n_bytes += std::ssize(block.bytes); }
  std::int64_t n_bytes = 0;

 private:
  bool attention_;
};

// A line of /proc/self/status, which counts this program alone (getrusage() also what came before
// an exec).
std::int64_t status_bytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  std::string word;
  std::int64_t kilobytes = 0;
  while (file >> word) {
    if (word == key && file >> kilobytes) return kilobytes * 1024;
  }
  return -1;
}

// How many times the plan a run may take. ThreadSanitizer keeps four to five bytes for each.
#ifdef __SANITIZE_THREAD__
constexpr std::int64_t kMostOfPlan = 8;
#else
constexpr std::int64_t kMostOfPlan = 2;
#endif

// Ends the process with 0 where a prompt took memory as planned.
[[noreturn]] void run_and_exit(std::int64_t n_tokens, TapSink* taps) {
  const auto model = tiny_model();
  const EngineLimits limits{.max_tokens = n_tokens, .max_batch = n_tokens};
  const auto ids = token_ids(n_tokens);
  const MemoryPlan plan = make_cpu_backend()->plan(*model, limits);
  const std::int64_t before = status_bytes("VmRSS:");
  make_cpu_backend()->open(model, limits)->run(ids, taps);
  const std::int64_t taken = status_bytes("VmHWM:") - before;
  std::fprintf(stderr, "%lld tokens took %.1f MB of %.1f MB planned\n",
               static_cast<long long>(n_tokens), static_cast<double>(taken) / 1e6,
               static_cast<double>(plan.total()) / 1e6);
  const std::int64_t least = bytes_of(plan, "cache") + bytes_of(plan, "activations");
  std::exit(taken >= least && taken <= kMostOfPlan * plan.total() ? 0 : 1);
}

class EngineMemoryOfProcess : public testing::Test {
 protected:
  // Programs of their own, whose peak is nobody else's.
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(EngineMemoryOfProcess, SixteenThousandTokensMakeNothingOfTTimesT) {
  constexpr std::int64_t kTokens = 16384;
  // The scores of one head alone.
  constexpr std::int64_t kSquare = 4 * kTokens * kTokens;
  ASSERT_LT(2 * make_cpu_backend()->plan(*tiny_model(), {kTokens, kTokens}).total(), kSquare / 3);
  EXPECT_EXIT(
      {
        Drain taps(false);
        run_and_exit(kTokens, &taps);
      },
      testing::ExitedWithCode(0), "16384 tokens took");
}

// All scores of 4,096 tokens are 0.8 GB; a slow sink holds as many as it may.
TEST_F(EngineMemoryOfProcess, TappedAttentionPassesInBlocks) {
  EXPECT_EXIT(
      {
        Drain taps(true);
        test::LateSink late(taps, tap_pool_bytes(tiny_model()->spec().shape, {4096, 4096}) / 3 * 2);
        run_and_exit(4096, &late);
      },
      testing::ExitedWithCode(0), "4096 tokens took");
}

}  // namespace
}  // namespace qaq
