// Taps that come in pieces, for whom wants whole rows.
#include "core/evaluate/stream_taps.h"

#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "core/base/error.h"

namespace qaq::test {
namespace {

ModelSpec two_heads() {
  ModelSpec spec;
  spec.name = "two heads";
  spec.shape = {.n_layers = 1, .n_heads = 2, .n_kv_heads = 1, .head_dim = 4};
  return spec;
}

TapBlock block(TapKind what, std::int64_t head, std::int64_t row, const Shape<3>& shape,
               const std::vector<float>& numbers) {
  return {.what = what,
          .layer = 0,
          .first_head = head,
          .n_heads = shape[0],
          .first_row = row,
          .n_rows = shape[1],
          .n_cols = shape[2],
          .bytes = std::as_bytes(std::span(numbers))};
}

TEST(StreamTaps, RowsComeWholeAndInOrderFromTheFirstThatIsWanted) {
  StreamTaps taps(two_heads(), {.max_tokens = 8});
  std::vector<std::vector<float>> seen;
  taps.hand_rows(1, [&](std::int64_t layer, std::int64_t position, const auto& row) {
    EXPECT_EQ(layer, 0);
    EXPECT_EQ(position, static_cast<std::int64_t>(seen.size()) + 1);
    EXPECT_EQ(row.shape(), (Shape<3>{2, 1, 3}));
    seen.emplace_back(row.span().begin(), row.span().end());
  });
  EXPECT_FALSE(taps.wants(TapKind::attention, 0, 0, 1));
  EXPECT_TRUE(taps.wants(TapKind::attention, 0, 0, 3));
  EXPECT_FALSE(taps.wants(TapKind::query, 0, 0, 3));
  // Rows 0..2 of head 0; those of head 1 in two blocks.
  taps.put(block(TapKind::attention, 0, 0, {1, 3, 3}, {1, 0, 0, 2, 3, 0, 4, 5, 6}));
  taps.put(block(TapKind::attention, 1, 0, {1, 2, 3}, {-1, 0, 0, -2, -3, 0}));
  EXPECT_TRUE(seen.empty());
  taps.put(block(TapKind::attention, 1, 2, {1, 1, 3}, {-4, -5, -6}));
  EXPECT_EQ(seen, (std::vector<std::vector<float>>{{2, 3, 0, -2, -3, 0}, {4, 5, 6, -4, -5, -6}}));
  const auto newest = taps.newest_rows()[0].view();
  EXPECT_EQ(newest(0, 0, 1), 5);
  EXPECT_EQ(newest(1, 0, 2), -6);
}

TEST(StreamTaps, NumbersAreRoundedAndLieAtTheirTokens) {
  StreamTaps taps(two_heads(), {.max_tokens = 8, .dtype = DType::bf16});
  taps.put(block(TapKind::key, 0, 0, {1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}));
  taps.put(block(TapKind::key, 0, 2, {1, 1, 4}, {1.001f, 257, 8, 9}));
  const CacheLayer key = taps.layers().key[0];
  EXPECT_EQ(key(0, 1, 3), 7);
  EXPECT_EQ(key(0, 2, 0), 1);
  EXPECT_EQ(key(0, 2, 1), 256);
  EXPECT_EQ(taps.layers().shape.n_tokens, 8);
}

TEST(StreamTaps, RefusesWhatIsNoNumberOfTheCache) {
  StreamTaps taps(two_heads(), {.max_tokens = 8, .dtype = DType::f16});
  const auto refusal = [&](float x) {
    try {
      taps.put(block(TapKind::value, 0, 5, {1, 1, 4}, {0, 1, x, 0}));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal(65504), "");
  EXPECT_TRUE(refusal(1e6f).starts_with("two heads: value, layer 0, head 0, token 5, channel 2: "))
      << refusal(1e6f);
  EXPECT_NE(refusal(1e6f).find("--dtype"), std::string::npos);
  EXPECT_NE(refusal(std::numeric_limits<float>::quiet_NaN()).find("not a number"),
            std::string::npos);
}

}  // namespace
}  // namespace qaq::test
