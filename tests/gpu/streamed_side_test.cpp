// What a side of a quantized cache tells after a plan: numbers that no cache holds by their place,
// and pages that could not follow, whoever asks for bytes or not.

#include "gpu/codec/streamed_side.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/replay/stream_planner.h"
#include "tests/gpu/cases/pages.h"

namespace qaq::test {
namespace {

using cases::DeviceArray;

constexpr std::int64_t kTokens = 8, kStride = 12;
constexpr ModelShape kShape{.n_layers = 4, .n_heads = 4, .n_kv_heads = 4, .head_dim = 16};

cuda::StreamingSetup setup_of(Level level, double outliers_ratio) {
  cuda::StreamingSetup setup{.shape = kShape, .max_tokens = kTokens + 4, .dtype = DType::f32};
  setup.params.key.level = level;
  setup.params.key.outliers_ratio = outliers_ratio;
  setup.params.key.use_attentions = false;
  setup.params = planning_params(setup.params, setup.streaming);
  return setup;
}

std::size_t place(std::int64_t layer, std::int64_t head, std::int64_t token, std::int64_t channel) {
  return static_cast<std::size_t>(
      ((layer * kShape.n_kv_heads + head) * kStride + token) * kShape.head_dim + channel);
}

// Keys of a prompt, (layers, heads, kStride, D); rows behind the prompt's are no numbers.
std::vector<float> some_rows() {
  std::vector<float> rows(place(kShape.n_layers, 0, 0, 0), std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < kShape.n_kv_heads; ++head) {
      for (std::int64_t t = 0; t < kTokens; ++t) {
        for (std::int64_t c = 0; c < kShape.head_dim; ++c) {
          const std::size_t at = place(layer, head, t, c);
          rows[at] = std::sin(static_cast<float>(at));
        }
      }
    }
  }
  return rows;
}

// What goes wrong when the prompt is quantized; empty: nothing.
std::string after_prompt(const cuda::StreamingSetup& setup, const std::vector<float>& rows,
                         ErrorKind kind) {
  cuda::Arena arena(cuda::StreamedSide::memory(setup, CacheSide::key).total());
  const cuda::Stream stream;
  cuda::StreamedSide side(setup, CacheSide::key, arena, stream);
  const DeviceArray<float> cache(rows);
  const DeviceArray<cuda::DecodeStep> step(
      std::vector<cuda::DecodeStep>{{.plan = {kTokens, kTokens}}});
  side.set_rule(kTokens, 0);
  side.quantize_prompt(reinterpret_cast<const std::byte*>(cache.data()), kStride, kTokens,
                       step.data(), stream);
  stream.wait();
  try {
    EXPECT_EQ(side.followed(0, kStride).demotions,
              static_cast<unsigned long long>(kTokens * side.units_per_token()));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "";
}

TEST(StreamedSide, TellsNothingWhereAllIsWell) {
  EXPECT_EQ(after_prompt(setup_of(Level::head, 0.1), some_rows(), ErrorKind::work), "");
  EXPECT_EQ(after_prompt(setup_of(Level::token, 0.05), some_rows(), ErrorKind::work), "");
}

TEST(StreamedSide, NamesThePlaceOfANumberThatIsNone) {
  std::vector<float> rows = some_rows();
  rows[place(2, 1, 5, 3)] = std::numeric_limits<float>::infinity();
  rows[place(3, 0, 1, 0)] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(after_prompt(setup_of(Level::head, 0), rows, ErrorKind::input)
                  .starts_with("layer 2, key of head 1, token 5, channel 3: the model gave NaN"));
}

// Outliers of units that span all heads, of which one head has them all: pages have room for four
// times a head's share.
TEST(StreamedSide, SaysAtOnceThatOutliersHadNoRoom) {
  std::vector<float> rows = some_rows();
  for (std::int64_t t = 0; t < kTokens; ++t) {
    for (std::int64_t c = 0; c < kShape.head_dim; ++c) {
      rows[place(0, 0, t, c)] *= 1000;
    }
  }
  const std::string text = after_prompt(setup_of(Level::token, 0.05), rows, ErrorKind::work);
  EXPECT_TRUE(text.starts_with("mixed-bit cache: more outliers than there is room for")) << text;
}

}  // namespace
}  // namespace qaq::test
