// What models take on a GPU, worked out by hand, before anything is allocated.
#include "gpu/engine/device_plan.h"

#include <functional>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "gpu/cuda/kernels/triangle.h"
#include "tests/support/known_shapes.h"
#include "tests/support/refusal.h"

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

// Each piece that no kernel computes, by itself.
TEST(DevicePlan, FamiliesForTheCpuAreRefusedByName) {
  const auto refused = [](const std::function<void(ModelSpec&)>& change) {
    ModelSpec spec = test::llama2_7b();
    spec.architecture = "gpt2";
    change(spec);
    return test::refusal([&] { plan_device_memory(spec, {.max_tokens = 64, .max_batch = 64}); },
                         ErrorKind::usage);
  };
  const std::string line =
      "--device cuda: models of the gpt2 family cannot be run on a GPU; run on the CPU: "
      "--device cpu";
  EXPECT_EQ(refused([](ModelSpec&) {}), "taken");
  EXPECT_EQ(refused([](ModelSpec& s) { s.norm = NormKind::layer; }), line);
  EXPECT_EQ(refused([](ModelSpec& s) { s.positions = PositionEmbedding::learned; }), line);
  EXPECT_EQ(refused([](ModelSpec& s) { s.positions = PositionEmbedding::alibi; }), line);
  EXPECT_EQ(refused([](ModelSpec& s) { s.activation = Activation::gelu; }), line);
  EXPECT_EQ(refused([](ModelSpec& s) { s.embedding_norm = true; }), line);
  EXPECT_EQ(refused([](ModelSpec& s) { s.parallel_residual = true; }), line);
}

// LLaMA-2-7B: 6,738,415,616 parameters, 4 bytes each; 1 MiB a token of keys and values.
TEST(DevicePlan, SevenBillionWeightsInFloat32) {
  const ModelSpec spec = test::llama2_7b();
  const MemoryPlan plan = plan_device_memory(spec, {.max_tokens = 4096, .max_batch = 4096});
  EXPECT_EQ(bytes_of(plan, "weights"), 4 * std::int64_t{6738415616});
  EXPECT_EQ(bytes_of(plan, "cache"), std::int64_t{4} << 30);
  // Residual stream, mixed values and queries of the run; a chunk of 512 rows of the rest.
  EXPECT_EQ(bytes_of(plan, "activations"), 4 * (4096 * 3 * 4096 + 512 * (4 * 4096 + 2 * 11008)));
  EXPECT_EQ(bytes_of(plan, "taps"), std::int64_t{512} << 20) << "the largest ring";
  EXPECT_EQ(bytes_of(plan, "logits"), 256 * 4 * 32000) << "rows of a block";
  EXPECT_EQ(bytes_of(plan, "rope, ids, position"), 2 * 4 * 4096 * 64 + 4 * 4096 + 256);
  std::int64_t sum = 0;
  for (const MemoryItem& item : plan.items) sum += item.bytes;
  EXPECT_EQ(plan.total(), sum);
  EXPECT_LT(plan.total(), std::int64_t{32} << 30) << "an 80 GB card has room for it";
}

// In 16 bits, parameters of matrices take 2 bytes and those of norms 4; keys and values of a token
// 0.5 MiB at 7B, 0.78 at 13B, and with 8 KV heads 0.31 at 70B.
TEST(DevicePlan, KnownModelsIn16Bits) {
  struct Known {
    ModelSpec spec;
    std::int64_t n_parameters, n_norms, token_bytes;
    std::int64_t limit;  // GB that the engine and 4,096 tokens fit
  };
  for (const Known& known :
       {Known{test::llama2_7b(), 6738415616, (2 * 32 + 1) * 4096, 524288, 17},
        Known{test::llama2_13b(), 13015864320, (2 * 40 + 1) * 5120, 819200, 31},
        Known{test::llama2_70b(), 68976648192, (2 * 80 + 1) * 8192, 327680, 141}}) {
    const EngineLimits limits{.max_tokens = 4096, .max_batch = 4096, .dtype = DType::f16};
    const MemoryPlan plan = plan_device_memory(known.spec, limits);
    EXPECT_EQ(bytes_of(plan, "weights"),
              2 * (known.n_parameters - known.n_norms) + 4 * known.n_norms);
    EXPECT_EQ(bytes_of(plan, "cache"), 4096 * known.token_bytes);
    EXPECT_EQ(bytes_of(plan, "taps"), std::int64_t{512} << 20);
    EXPECT_LT(plan.total(), known.limit * 1'000'000'000) << known.spec.shape.hidden_size;
    EngineLimits untapped = limits;
    untapped.tapped = false;
    EXPECT_EQ(plan.total() - plan_device_memory(known.spec, untapped).total(),
              (std::int64_t{512} << 20) + 255 * 4 * 32000);
  }
}

TEST(DevicePlan, TooLittleMemorySaysWhatHalfTheTokensSave) {
  const ModelSpec spec = test::llama2_7b();
  const EngineLimits limits{.max_tokens = 4096, .max_batch = 4096};
  const std::int64_t needed = plan_device_memory(spec, limits).total();
  const std::int64_t spare = std::int64_t{512} << 20;
  EXPECT_EQ(refused(spec, limits, needed + spare), "");
  const std::string line = refused(spec, limits, needed + spare - 1);
  for (const char* words :
       {"GPU memory: needs 32.1 GB, 32.1 GB free (weights 27.0 GB, cache 4.29 GB",
        "2048 instead of 4096 save 2.25 GB", "--device cpu"}) {
    EXPECT_NE(line.find(words), std::string::npos) << words << " is not in\n" << line;
  }
  EXPECT_NE(refused(spec, limits, 0), "");
}

// Two regions fit beside each other, whatever cannot be split fits one, and all is bounded.
TEST(DevicePlan, TheRingOfTapsHoldsTwoRegionsOfWhatCannotBeSplit) {
  ModelSpec spec = test::llama2_7b();
  for (const std::int64_t n_heads : {1, 9, 32}) {
    spec.shape.n_heads = n_heads;
    for (const std::int64_t max_tokens : {1, 100, 2897, 16384, 9'000'000}) {
      const EngineLimits limits{.max_tokens = max_tokens,
                                .max_batch = std::min<std::int64_t>(max_tokens, 600)};
      const TapRing::Sizes sizes = tap_ring_sizes(spec, limits);
      const std::int64_t region = tap_region_bytes(sizes);
      ByteRing ring(sizes.device_bytes);
      EXPECT_TRUE(ring.take(region) && ring.take(region)) << max_tokens;
      const std::int64_t head = limits.max_batch * spec.shape.head_dim * 4;
      for (const std::int64_t least :
           {stats_region_bytes(1, max_tokens - 1, 1), 4 * (limits.max_batch + max_tokens),
            4 * triangle_size(max_tokens - 1, 1), 4 * spec.shape.vocab_size, head}) {
        EXPECT_LE(least, region) << max_tokens << " tokens";
        EXPECT_LE(least, sizes.piece_bytes) << max_tokens << " tokens";
      }
      EXPECT_LE(2 * sizes.piece_bytes, sizes.pinned_bytes);
      EXPECT_LE(sizes.device_bytes, std::max(std::int64_t{512} << 20, 2 * region));
      EngineLimits untapped = limits;
      untapped.tapped = false;
      EXPECT_EQ(tap_ring_sizes(spec, untapped).device_bytes, 0);
    }
  }
}

}  // namespace
}  // namespace qaq::cuda
