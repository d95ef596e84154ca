// What models take on a GPU, worked out by hand, before anything is allocated.
#include "gpu/engine/device_plan.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/known_shapes.h"

namespace qaq::cuda {
namespace {

std::int64_t bytes_of(const MemoryPlan& plan, const std::string& name) {
  for (const MemoryItem& item : plan.items) {
    if (item.name == name) return item.bytes;
  }
  return -1;
}

std::string refused(const ModelSpec& spec, const EngineLimits& limits, std::int64_t free_bytes) {
  try {
    require_device_memory(spec, limits, free_bytes);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::work);
    return error.what();
  }
}

// LLaMA-2-7B: 6,738,415,616 parameters, 4 bytes each; 1 MiB a token of keys and values.
TEST(DevicePlan, SevenBillionWeightsInFloat32) {
  const ModelSpec spec = test::llama2_7b();
  const MemoryPlan plan = plan_device_memory(spec, {.max_tokens = 4096, .max_batch = 4096});
  EXPECT_EQ(bytes_of(plan, "weights"), 4 * std::int64_t{6738415616});
  EXPECT_EQ(bytes_of(plan, "cache"), std::int64_t{4} << 30);
  // Residual stream, mixed values and queries of the run; a chunk of 512 rows of the rest.
  EXPECT_EQ(bytes_of(plan, "activations"), 4 * (4096 * 3 * 4096 + 512 * (4 * 4096 + 2 * 11008)));
  EXPECT_EQ(bytes_of(plan, "taps"), std::int64_t{32} << 20) << "a block of scores";
  EXPECT_EQ(bytes_of(plan, "rope and ids"), 2 * 4 * 4096 * 64 + 4 * 4096);
  std::int64_t sum = 0;
  for (const MemoryItem& item : plan.items) sum += item.bytes;
  EXPECT_EQ(plan.total(), sum);
  EXPECT_LT(plan.total(), std::int64_t{32} << 30) << "an 80 GB card has room for it";
}

TEST(DevicePlan, TooLittleMemorySaysWhatHalfTheTokensSave) {
  const ModelSpec spec = test::llama2_7b();
  const EngineLimits limits{.max_tokens = 4096, .max_batch = 4096};
  const std::int64_t needed = plan_device_memory(spec, limits).total();
  const std::int64_t spare = std::int64_t{512} << 20;
  EXPECT_EQ(refused(spec, limits, needed + spare), "");
  const std::string line = refused(spec, limits, needed + spare - 1);
  for (const char* words :
       {"GPU memory: needs 31.6 GB, 31.6 GB free (weights 27.0 GB, cache 4.29 GB",
        "2048 instead of 4096 save 2.25 GB", "--device cpu"}) {
    EXPECT_NE(line.find(words), std::string::npos) << words << " is not in\n" << line;
  }
  EXPECT_NE(refused(spec, limits, 0), "");
}

TEST(DevicePlan, ASlabHoldsEveryBlockOfScoresWithinTheLimits) {
  ModelShape shape = test::llama2_7b().shape;
  for (const std::int64_t n_heads : {1, 9, 32}) {
    shape.n_heads = n_heads;
    for (const std::int64_t max_tokens : {1, 100, 2897, 16384, 9'000'000}) {
      const EngineLimits limits{.max_tokens = max_tokens,
                                .max_batch = std::min<std::int64_t>(max_tokens, 600)};
      for (const std::int64_t n_rows : {std::int64_t{1}, limits.max_batch}) {
        for (const std::int64_t n_keys : {n_rows, max_tokens}) {
          const AttentionBlock block = attention_block(shape, n_rows, n_keys);
          EXPECT_LE(block.n_heads * block.n_rows * n_keys, score_slab_size(shape, limits))
              << n_heads << " heads, " << n_rows << " rows, " << n_keys << " keys";
        }
      }
    }
  }
}

}  // namespace
}  // namespace qaq::cuda
