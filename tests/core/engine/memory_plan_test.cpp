#include "core/engine/memory_plan.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <utility>

#include "core/base/error.h"
#include "tests/support/known_shapes.h"

namespace qaq {
namespace {

// 6,738,415,616 parameters, as the model card counts them, in float32.
constexpr std::int64_t kWeights = 4 * std::int64_t{6738415616};

std::int64_t bytes_of(const MemoryPlan& plan, const std::string& name) {
  for (const MemoryItem& item : plan.items) {
    if (item.name == name) return item.bytes;
  }
  return -1;
}

TEST(MemoryPlan, SevenBillionWeightsAndCacheByHand) {
  const MemoryPlan plan =
      plan_memory(test::llama2_7b(), {.max_tokens = 1024, .max_batch = 1024}, kWeights);
  EXPECT_EQ(bytes_of(plan, "weights"), kWeights);
  // 0.5 MiB a token in 16 bits, so 1 MiB in 32.
  EXPECT_EQ(bytes_of(plan, "cache"), std::int64_t{1024} << 20);
  std::int64_t sum = 0;
  for (const MemoryItem& item : plan.items) sum += item.bytes;
  EXPECT_EQ(plan.total(), sum);
}

TEST(MemoryPlan, TooLittleMemoryNamesTheParts) {
  const EngineLimits limits{.max_tokens = 1024, .max_batch = 1024};
  const MemoryPlan plan = plan_memory(test::llama2_7b(), limits, kWeights);
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

// Query, key and value of a layer are held while its scores are made, block by block. Were they
// more than the taps may take, the engine would wait for itself.
TEST(MemoryPlan, EveryRunWithinTheLimitsHasRoomForItsTaps) {
  for (const std::int64_t n_heads : {1, 9, 32}) {
    ModelShape shape = test::llama2_7b().shape;
    shape.n_heads = n_heads;
    shape.n_kv_heads = n_heads == 1 ? 1 : n_heads / (n_heads == 9 ? 3 : 4);
    for (const std::int64_t max_tokens : {1, 100, 1700, 2897, 16384, 9'000'000}) {
      for (const std::int64_t max_batch :
           {std::int64_t{1}, std::min<std::int64_t>(max_tokens, 600), max_tokens}) {
        const std::int64_t room =
            tap_pool_bytes(shape, {.max_tokens = max_tokens, .max_batch = max_batch});
        for (const std::int64_t n_rows : {std::int64_t{1}, (max_batch + 1) / 2, max_batch}) {
          for (const std::int64_t n_keys : {n_rows, (n_rows + max_tokens) / 2, max_tokens}) {
            const AttentionBlock block = attention_block(shape, n_rows, n_keys);
            const std::int64_t heads = (shape.n_heads + 2 * shape.n_kv_heads) * shape.head_dim;
            EXPECT_LE(4 * (heads * n_rows + block.n_heads * block.n_rows * n_keys), room)
                << n_heads << " heads, " << n_rows << " rows of " << max_batch << ", " << n_keys
                << " keys of " << max_tokens;
          }
          EXPECT_LE(4 * std::min(logits_block_rows(shape), n_rows) * shape.vocab_size, room);
        }
      }
    }
  }
}

TEST(MemoryPlan, ABlockOfScoresIsSomeHeadsOrSomeRowsOfOne) {
  const ModelShape shape = test::llama2_7b().shape;
  const auto block = [&](std::int64_t n_rows, std::int64_t n_keys) {
    const AttentionBlock b = attention_block(shape, n_rows, n_keys);
    return std::pair(b.n_heads, b.n_rows);
  };
  EXPECT_EQ(block(1, 4096), std::pair(std::int64_t{32}, std::int64_t{1}));
  EXPECT_EQ(block(1024, 1024), std::pair(std::int64_t{8}, std::int64_t{1024}));   // 4 MiB a head
  EXPECT_EQ(block(16384, 16384), std::pair(std::int64_t{1}, std::int64_t{512}));  // 1 GiB a head
  EXPECT_EQ(block(2, 9'000'000), std::pair(std::int64_t{1}, std::int64_t{1}));
}

}  // namespace
}  // namespace qaq
