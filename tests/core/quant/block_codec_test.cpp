// q8_0 and q4_0 against the blocks that gguf writes, byte for byte.
#include "core/quant/block_codec.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "tests/support/deviation.h"
#include "tests/support/rival_reference.h"
#include "tests/support/simd_targets.h"

namespace qaq {
namespace {

using test::rival_codecs;

constexpr std::pair<WeightType, const char*> kTypes[] = {{WeightType::q8_0, "q8_0"},
                                                         {WeightType::q4_0, "q4_0"}};

std::vector<std::uint8_t> blocks_of(WeightType type, std::span<const float> values) {
  const auto size = row_bytes(type, static_cast<std::int64_t>(values.size()));
  std::vector<std::uint8_t> blocks(static_cast<std::size_t>(size), 0xa5);
  encode_blocks(type, values, std::as_writable_bytes(std::span(blocks)));
  return blocks;
}

NdArray<float, 3> quantized(WeightType type, const NdArray<float, 3>& input) {
  NdArray<float, 3> out(input.shape(), std::numeric_limits<float>::quiet_NaN());
  quantize_blocks(type, input.view(), {0, input.shape(1)}, out.view());
  return out;
}

// The first values of a block whose others are 0.
std::vector<float> block_values(WeightType type, const std::vector<float>& first) {
  NdArray<float, 3> input({1, 1, 32});
  std::copy(first.begin(), first.end(), input.data());
  const NdArray<float, 3> out = quantized(type, input);
  return {out.data(), out.data() + first.size()};
}

TEST(BlockCodec, MicroExamples) {
  EXPECT_EQ(block_values(WeightType::q4_0, {1, -2, 3, -4, 4}),
            (std::vector<float>{1, -2, 3, -4, 3.5}));
  EXPECT_EQ(block_values(WeightType::q8_0, {127, 1.5, -1.5, 0.5}),
            (std::vector<float>{127, 2, -2, 1}));
}

TEST(BlockCodec, BlocksOfARealCacheAsGgufWritesThem) {
  for (const auto& [type, name] : kTypes) {
    for (const std::string layer : {"01", "14"}) {
      for (const std::string side : {"key", "value"}) {
        const auto input = test::rival_input(side, layer);
        EXPECT_EQ(blocks_of(type, input.span()),
                  rival_codecs().bytes(name + ("/layer" + layer) + "/" + side + "_block"))
            << name << layer << side;
      }
    }
  }
}

TEST(BlockCodec, ValuesAreWhatTheBlocksStandFor) {
  test::with_each_simd_target([] {
    for (const auto& [type, name] : kTypes) {
      const auto ours = quantized(type, test::rival_input("value"));
      const auto reference = rival_codecs().floats(name + std::string("/layer14/value"));
      EXPECT_EQ(std::vector<float>(ours.span().begin(), ours.span().end()), reference) << name;
    }
  });
}

TEST(BlockCodec, EdgeBlocks) {
  for (const auto& [type, name] : kTypes) {
    const std::string edge = name + std::string("/edge/");
    const auto input = rival_codecs().floats(edge + "input");
    EXPECT_EQ(blocks_of(type, input), rival_codecs().bytes(edge + "block")) << name;
    NdArray<float, 3> rows({1, std::ssize(input) / 32, 32});
    std::copy(input.begin(), input.end(), rows.data());
    const auto ours = quantized(type, rows);
    EXPECT_EQ(std::vector<float>(ours.span().begin(), ours.span().end()),
              rival_codecs().floats(edge + "output"));
  }
}

TEST(BlockCodec, RoundsHalvesAwayAndNothingElse) {
  // d = 1: what lies right below a half goes down.
  const float below = std::nextafter(0.5f, 0.0f);
  EXPECT_EQ(block_values(WeightType::q8_0, {127, below, -below, 0.5f, -0.5f, 2.5f, -126.5f}),
            (std::vector<float>{127, 0, 0, 1, -1, 3, -127}));
}

TEST(BlockCodec, TinyAndHugeNumbersGiveFiniteOnes) {
  for (const auto& [type, name] : kTypes) {
    const float tiny = std::numeric_limits<float>::denorm_min();
    for (const float x : block_values(type, {tiny, -tiny, 0})) EXPECT_EQ(x, 0) << name;
    for (const float x : block_values(type, {1e38f, -1e38f, 5})) EXPECT_TRUE(std::isfinite(x));
  }
}

TEST(BlockCodec, SpansAndSizes) {
  for (const std::int64_t head_dim : {32, 64, 128}) {
    const auto input = test::random_layer({2, 35, head_dim}, 3);
    for (const auto& [type, name] : kTypes) {
      const auto whole = quantized(type, input);
      auto in_place = input.copy();
      quantize_blocks(type, in_place.view(), {34, 35}, in_place.view());
      for (std::int64_t head = 0; head < 2; ++head) {
        for (std::int64_t d = 0; d < head_dim; ++d) {
          EXPECT_EQ(in_place(head, 34, d), whole(head, 34, d));
          EXPECT_EQ(in_place(head, 33, d), input(head, 33, d));
        }
      }
    }
  }
}

TEST(BlockCodec, SameBytesOnAnyNumberOfThreads) {
  const auto input = test::random_layer({3, 70, 64}, 9);
  const int n_threads = thread_count();
  for (const auto& [type, name] : kTypes) {
    set_thread_count(1);
    const auto one = quantized(type, input);
    set_thread_count(3);
    EXPECT_TRUE(std::ranges::equal(one.span(), quantized(type, input).span())) << name;
  }
  set_thread_count(n_threads);
}

TEST(BlockCodec, BytesOfBlocks) {
  const CacheShape shape{2, 3, 5, 64};
  EXPECT_EQ(block_bytes(WeightType::q8_0, shape),
            (PackedBytes{.payload = 60 * 32, .scales = 60 * 2}));
  EXPECT_EQ(block_bytes(WeightType::q4_0, shape),
            (PackedBytes{.payload = 60 * 16, .scales = 60 * 2}));
}

TEST(BlockCodec, RowsOfNoWholeBlocksAreRefused) {
  for (const std::int64_t head_dim : {16, 80}) {
    const auto input = test::random_layer({1, 1, head_dim}, 3);
    try {
      quantized(WeightType::q4_0, input);
      ADD_FAILURE() << "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_EQ(error.text().place, "cache_type");
      EXPECT_EQ(error.text().what,
                "q4_0 needs a head_dim in blocks of 32, not " + std::to_string(head_dim));
      EXPECT_FALSE(error.text().cure.empty());
    }
  }
}

}  // namespace
}  // namespace qaq
