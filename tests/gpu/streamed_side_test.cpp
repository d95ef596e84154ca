// What a side of a quantized cache tells after a plan: numbers that no cache holds by their place,
// and pages that could not follow, whoever asks for bytes or not.

#include "gpu/codec/streamed_side.h"

#include <cmath>
#include <cuda_runtime_api.h>
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

std::vector<float> unpacked(const cuda::PagedCache& pages) {
  const DeviceArray<float> out =
      cases::unwritten(std::int64_t{pages.n_lists} * kStride * kShape.head_dim);
  cases::require(
      cuda::unpack_pages({pages, out.data(), DType::f32, kStride, 0, pages.n_lists}, nullptr),
      "unpack_pages");
  return out.host();
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

// What a side holds after a prompt and three tokens whose layers were quantized in these groups.
struct Held {
  std::vector<std::uint8_t> n_bits;
  std::vector<float> values;  // as codes give them back
  cuda::PlanCounts counts;
};

Held after_tokens(Level level, const std::vector<cuda::LayerRange>& groups) {
  cuda::StreamingSetup setup = setup_of(level, 0.1);
  setup.params.value = setup.params.key;  // of keys bits do not follow importance
  setup.params.value.use_attentions = true;
  setup.params.value.last_n_attentions = 1;
  setup.params.value.target_quantization_error = 0.1;
  setup.params.value.n_bits_max = 12;
  cuda::Arena arena(cuda::StreamedSide::memory(setup, CacheSide::value).total());
  const cuda::Stream stream;
  cuda::StreamedSide side(setup, CacheSide::value, arena, stream);
  const std::int64_t n_lists = kShape.n_layers * kShape.n_kv_heads, row = kShape.head_dim;
  const std::vector<float> rows = some_rows();
  const DeviceArray<float> cache(rows);
  const auto* bytes = reinterpret_cast<const std::byte*>(cache.data());
  for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
    side.copy_to_host({.from = bytes + static_cast<std::ptrdiff_t>(4 * place(layer, 0, 0, 0)),
                       .stride = kStride,
                       .layer = layer,
                       .first = 0,
                       .n = kTokens},
                      stream);
  }
  cases::Numbers numbers(5);
  Held out;
  for (std::int64_t n = kTokens; n < kTokens + 4; ++n) {
    const auto count = static_cast<std::int32_t>(n);
    const DeviceArray<cuda::DecodeStep> step(std::vector<cuda::DecodeStep>{
        {.plan = {count, count}, .importance = {n - 1, kTokens}, .first_fresh = n - 1}});
    side.set_rule(n, n == kTokens ? 0 : n - 1);
    if (n == kTokens) {
      side.quantize_prompt(bytes, kStride, n, step.data(), stream);
      stream.wait();
      continue;
    }
    const std::vector<float> tail = numbers.bells(n_lists * row, 2);
    cases::require(cudaMemcpyAsync(side.tail(0), tail.data(), 4 * tail.size(),
                                   cudaMemcpyHostToDevice, stream.get()),
                   "the tail");
    std::vector<float> scores;  // they come and go, so that bits rise and fall
    for (std::int64_t i = 0; i < kShape.n_layers * kShape.n_heads * kStride; ++i) {
      scores.push_back(static_cast<float>(std::pow(numbers.uniform(), 8)));
    }
    const DeviceArray<float> device_scores(scores);
    for (const cuda::LayerRange& layers : groups) {
      const cuda::StepCall call{step.data(), setup.max_tokens, layers};
      side.take_step_rows(device_scores.data(), kStride, call, stream);
      side.quantize_tail(call, stream);
    }
    stream.wait();
    out.counts = side.followed(n - 1, side.tail_stride());
  }
  out.n_bits = side.held(kTokens + 3, stream).n_bits;
  out.values = unpacked(side.pages());
  return out;
}

TEST(StreamedSide, GroupsOfLayersAreAsAllAtOnce) {
  for (const Level level : {Level::head, Level::layer}) {
    const auto n_units = static_cast<unsigned long long>(level == Level::head ? 16 : 4);
    const Held whole = after_tokens(level, {{0, 4}});
    const Held parts = after_tokens(level, {{0, 1}, {1, 2}, {3, 1}});
    EXPECT_GT(whole.counts.promotions, 0);
    EXPECT_GT(whole.counts.demotions, (kTokens + 3) * n_units);
    EXPECT_EQ(parts.counts.promotions, whole.counts.promotions);
    EXPECT_EQ(parts.counts.demotions, whole.counts.demotions);
    EXPECT_EQ(parts.n_bits, whole.n_bits);
    EXPECT_EQ(cases::n_different(parts.values, whole.values), 0);
  }
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
