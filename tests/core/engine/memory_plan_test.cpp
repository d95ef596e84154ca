#include "core/engine/memory_plan.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace qaq {
namespace {

ModelSpec llama_7b() {
  ModelSpec spec;
  spec.shape = {.n_layers = 32,
                .n_heads = 32,
                .n_kv_heads = 32,
                .head_dim = 128,
                .hidden_size = 4096,
                .intermediate_size = 11008,
                .vocab_size = 32000,
                .context_length = 4096};
  spec.rope.n_rotary_dim = 128;
  return spec;
}

// 6,738,415,616 parameters, as the model card counts them, in float32.
constexpr std::int64_t kWeights = 4 * std::int64_t{6738415616};

std::int64_t bytes_of(const MemoryPlan& plan, const std::string& name) {
  for (const MemoryItem& item : plan.items) {
    if (item.name == name) return item.bytes;
  }
  return -1;
}

TEST(MemoryPlan, SevenBillionWeightsAndCacheByHand) {
  const MemoryPlan plan = plan_memory(llama_7b(), {.max_tokens = 1024, .max_batch = 1024}, kWeights);
  EXPECT_EQ(bytes_of(plan, "weights"), kWeights);
  // 0.5 MiB a token in 16 bits, so 1 MiB in 32.
  EXPECT_EQ(bytes_of(plan, "cache"), std::int64_t{1024} << 20);
  std::int64_t sum = 0;
  for (const MemoryItem& item : plan.items) sum += item.bytes;
  EXPECT_EQ(plan.total(), sum);
}

TEST(MemoryPlan, TooLittleMemoryNamesTheParts) {
  const EngineLimits limits{.max_tokens = 1024, .max_batch = 1024};
  const MemoryPlan plan = plan_memory(llama_7b(), limits, kWeights);
  EXPECT_NO_THROW(require_memory(plan, limits, plan.total()));
  try {
    require_memory(plan, limits, plan.total() - 1);
    FAIL() << "fits into less than it needs";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::work);
    const std::string line = error.what();
    EXPECT_NE(line.find("weights 27.0 GB"), std::string::npos) << line;
    EXPECT_NE(line.find("fewer than 1024 tokens"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace qaq
