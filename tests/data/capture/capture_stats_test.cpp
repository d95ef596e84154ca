#include "data/capture/capture_stats.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <utility>
#include <vector>

#include "core/tensor/vector_math.h"
#include "tests/data/capture/synthetic_run.h"

namespace qaq::test {
namespace {

/// Hands the taps on to the statistics.
class StatsSink : public TapSink {
 public:
  explicit StatsSink(CaptureStats& stats) : stats_(stats) {}
  bool wants(TapKind, std::int64_t, std::int64_t, std::int64_t) const override { return true; }
  void put(const TapBlock& block) override {
    switch (block.what) {
      case TapKind::query:
        return stats_.add_query(block.layer, block);
      case TapKind::key:
        return stats_.add_key(block.layer, block);
      case TapKind::value:
        return stats_.add_value(block.layer, block);
      case TapKind::attention:
        EXPECT_TRUE(stats_.add_attention(block.layer, block));
        return;
      case TapKind::attention_stats:  // never asked for
      case TapKind::logits_top:
        break;
      case TapKind::logits:
        return;
    }
  }

 private:
  CaptureStats& stats_;
};

TapBlock attention_of_head(std::int64_t head, std::int64_t first, std::int64_t end) {
  return {.what = TapKind::attention,
          .layer = 0,
          .first_head = head,
          .n_heads = 1,
          .first_row = first,
          .n_rows = end - first,
          .bytes = {}};
}

class Stats : public testing::Test {
 protected:
  static constexpr std::int64_t kTokens = 12;
  const ModelShape shape_ = small_shape();
  const SyntheticRun run_ = make_run(shape_, 7, kTokens);
};

TEST_F(Stats, ImportanceIsReducedOverTheLastRowsAndTheGroup) {
  CaptureStats stats(shape_, shape_.n_layers, kTokens + 4, true);
  StatsSink sink(stats);
  put_run(run_, sink);
  const auto window = stats.importance_window(kTokens);
  const auto sum = stats.importance_sum(kTokens);
  const auto entropy = stats.entropy(kTokens);
  for (std::int64_t l = 0; l < shape_.n_layers; ++l) {
    for (std::int64_t kv = 0; kv < shape_.n_kv_heads; ++kv) {
      for (std::int64_t t = 0; t < kTokens; ++t) {
        float largest = 0;
        double total = 0;
        for (std::int64_t h = 2 * kv; h < 2 * kv + 2; ++h) {
          for (std::int64_t s = t; s < kTokens; ++s) {
            total += run_.attention(l, h, s, t);
            if (s >= kTokens - 5) largest = std::max(largest, run_.attention(l, h, s, t));
          }
        }
        EXPECT_EQ(window(l, kv, t), largest);
        EXPECT_FLOAT_EQ(sum(l, kv, t), static_cast<float>(total));
      }
    }
    for (std::int64_t h = 0; h < shape_.n_heads; ++h) {
      EXPECT_NEAR(entropy(l, h, 0), 0, 1e-6);  // one key: no choice
      for (std::int64_t s = 1; s < kTokens; ++s) {
        EXPECT_GT(entropy(l, h, s), 0);
        EXPECT_LE(entropy(l, h, s), std::log(static_cast<float>(s + 1)) + 1e-6f);
      }
    }
  }
}

TEST_F(Stats, TheOrderOfHeadsAndBatchesDoesNotMatter) {
  CaptureStats together(shape_, 1, kTokens, true), apart(shape_, 1, kTokens, true);
  StatsSink one(together), other(apart);
  // All heads, row by row; against each head's whole history before the next head's.
  for (std::int64_t s = 0; s < kTokens; ++s) {
    for (std::int64_t h = 0; h < shape_.n_heads; ++h) {
      put_rows(one, attention_of_head(h, s, s + 1), run_.attention, s + 1);
    }
  }
  for (std::int64_t h = 0; h < shape_.n_heads; ++h) {
    put_rows(other, attention_of_head(h, 0, 7), run_.attention, 7);
    put_rows(other, attention_of_head(h, 7, kTokens), run_.attention, kTokens);
  }
  const auto a = together.importance_window(kTokens), b = apart.importance_window(kTokens);
  EXPECT_TRUE(std::ranges::equal(a.span(), b.span()));
  const auto c = together.importance_sum(kTokens), d = apart.importance_sum(kTokens);
  for (std::size_t i = 0; i < c.span().size(); ++i) EXPECT_FLOAT_EQ(c.span()[i], d.span()[i]);
}

// Sums that come rounded are rounded twice, those of rows once.
TEST_F(Stats, RowsMayComeAsTheirStatistics) {
  constexpr std::int64_t kSummed = 7;
  CaptureStats whole(shape_, 1, kTokens, true), summed(shape_, 1, kTokens, true),
      broken(shape_, 1, kTokens, true);
  StatsSink one(whole), other(summed);
  for (std::int64_t h = 0; h < shape_.n_heads; ++h) {
    put_rows(one, attention_of_head(h, 0, kTokens), run_.attention, kTokens);
  }
  // Two heads at a time, in two parts of rows.
  for (std::int64_t h = 0; h < shape_.n_heads; h += 2) {
    for (const auto& [first, end] : {std::pair<std::int64_t, std::int64_t>{0, 3}, {3, kSummed}}) {
      std::vector<float> stats;
      for (const std::int64_t head : {h, h + 1}) {
        for (std::int64_t s = first; s < end; ++s) {
          stats.push_back(static_cast<float>(entropy(run_.attention.sub(0, head, s).span())));
        }
        for (std::int64_t t = 0; t < end; ++t) {
          double sum = 0;
          for (std::int64_t s = std::max(first, t); s < end; ++s) {
            sum += run_.attention(0, head, s, t);
          }
          stats.push_back(static_cast<float>(sum));
        }
      }
      TapBlock block = attention_of_head(h, first, end);
      block.what = TapKind::attention_stats;
      block.n_heads = 2;
      block.n_cols = end;
      block.bytes = std::as_bytes(std::span<const float>(stats));
      EXPECT_TRUE(summed.add_attention_stats(0, block));
      stats[1] = std::numeric_limits<float>::infinity();
      EXPECT_FALSE(broken.add_attention_stats(0, block));
    }
  }
  for (std::int64_t h = 0; h < shape_.n_heads; ++h) {
    put_rows(other, attention_of_head(h, kSummed, kTokens), run_.attention, kTokens);
  }
  const auto a = whole.importance_window(kTokens), b = summed.importance_window(kTokens);
  EXPECT_TRUE(std::ranges::equal(a.span(), b.span()));
  const auto c = whole.entropy(kTokens), d = summed.entropy(kTokens);
  for (std::size_t i = 0; i < c.span().size(); ++i) EXPECT_NEAR(c.span()[i], d.span()[i], 1e-6);
  const auto e = whole.importance_sum(kTokens), f = summed.importance_sum(kTokens);
  for (std::size_t i = 0; i < e.span().size(); ++i) {
    EXPECT_GT(e.span()[i], 0);
    EXPECT_NEAR(e.span()[i], f.span()[i], 3 * 0x1p-24 * e.span()[i]);
  }
}

TEST_F(Stats, RangesAreThoseOfTheStoredNumbers) {
  CaptureStats stats(shape_, shape_.n_layers, kTokens, false);
  StatsSink sink(stats);
  std::vector<float> numbers(static_cast<std::size_t>(shape_.head_dim), 1.0f);
  numbers[3] = 1.0f + 0x1p-12f;  // between two halves
  for (const std::int64_t head : {0, 1}) {
    stats.add_key(0, {.what = TapKind::key,
                      .layer = 0,
                      .first_head = head,
                      .n_heads = 1,
                      .first_row = 0,
                      .n_rows = 1,
                      .n_cols = shape_.head_dim,
                      .bytes = std::as_bytes(std::span<const float>(numbers))});
  }
  EXPECT_EQ(stats.key_range(DType::f32)(0, 1, 3, 1), 1.0f + 0x1p-12f);
  EXPECT_EQ(stats.key_range(DType::f16)(0, 1, 3, 1), 1.0f);
  EXPECT_EQ(stats.key_range(DType::f16)(0, 1, 3, 0), 1.0f);
}

TEST_F(Stats, NormsAreSquaredAndUnscaled) {
  CaptureStats stats(shape_, shape_.n_layers, kTokens, true);
  StatsSink sink(stats);
  put_run(run_, sink);
  double sum = 0;
  for (const float x : run_.query.sub(2, 3, 11).span()) sum += static_cast<double>(x) * x;
  EXPECT_FLOAT_EQ(stats.query_norm2(kTokens)(2, 3, 11), static_cast<float>(sum));
}

}  // namespace
}  // namespace qaq::test
