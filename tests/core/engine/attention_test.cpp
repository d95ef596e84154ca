// attend() against a plain softmax attention in float64. A layer beside the one that is asked for
// holds NaN, and so do all outputs beforehand: what is read or left out by mistake shows.
#include "core/engine/attention.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

#include "core/base/text.h"
#include "tests/support/deviation.h"

namespace qaq {
namespace {

using test::Deviation;

constexpr std::int64_t kKvHeads = 2;
constexpr std::int64_t kLayer = 1;
const float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> normal_numbers(std::int64_t n, unsigned seed, float scale) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> out(static_cast<std::size_t>(n));
  for (float& x : out) x = normal(random);
  return out;
}

std::int64_t keys_before_window(std::int64_t position, std::int64_t window) {
  return window > 0 ? std::max<std::int64_t>(0, position + 1 - window) : 0;
}

/// Random queries of the last `n_rows` of `n_keys` tokens, and the cache that they look at.
struct Problem {
  Problem(std::int64_t head_dim, std::int64_t group, std::int64_t keys, std::int64_t rows,
          float query_scale = 1.0f)
      : shape{.n_layers = kLayer + 1,
              .n_heads = kKvHeads * group,
              .n_kv_heads = kKvHeads,
              .head_dim = head_dim},
        n_keys(keys),
        n_rows(rows),
        query(normal_numbers(shape.n_heads * rows * head_dim, 1, query_scale)),
        key(normal_numbers(kKvHeads * keys * head_dim, 2, 1.0f)),
        value(normal_numbers(kKvHeads * keys * head_dim, 3, 1.0f)),
        cache(shape, keys) {
    const std::vector<float> poison(static_cast<std::size_t>(head_dim), kNan);
    for (std::int64_t head = 0; head < kKvHeads; ++head) {
      for (std::int64_t t = 0; t < keys; ++t) {
        cache.append(0, head, t, poison.data(), poison.data());
        cache.append(kLayer, head, t, key.data() + (head * keys + t) * head_dim,
                     value.data() + (head * keys + t) * head_dim);
      }
    }
  }

  AttentionCall call(const LayerScoreRule& rule, std::vector<float>& out) const {
    out.assign(static_cast<std::size_t>(n_rows * shape.n_heads * shape.head_dim), kNan);
    return {.cache = &cache,
            .shape = &shape,
            .layer = kLayer,
            .rule = rule,
            .first_position = n_keys - n_rows,
            .n_rows = n_rows,
            .query = query.data(),
            .out = out.data()};
  }
  std::vector<float> blank_scores() const {
    return std::vector<float>(static_cast<std::size_t>(shape.n_heads * n_rows * n_keys), kNan);
  }
  AttentionPart whole() const { return {0, shape.n_heads, 0, n_rows}; }

  ModelShape shape;
  std::int64_t n_keys, n_rows;
  std::vector<float> query, key, value;  ///< (heads, tokens, D)
  KvCache cache;
};

/// scores (n_heads, n_rows, n_keys) and out (n_rows, n_heads * D).
struct Expected {
  std::vector<double> scores, out;
};

using Kept = NdArray<std::uint8_t, 2>;  // (n_kv_heads, n)

Expected expected_of(const Problem& p, const LayerScoreRule& rule, const Kept& kept = {}) {
  const std::int64_t d = p.shape.head_dim, n_heads = p.shape.n_heads;
  Expected e{std::vector<double>(static_cast<std::size_t>(n_heads * p.n_rows * p.n_keys)),
             std::vector<double>(static_cast<std::size_t>(p.n_rows * n_heads * d))};
  for (std::int64_t head = 0; head < n_heads; ++head) {
    const std::int64_t kv = head / p.shape.group_size();
    for (std::int64_t row = 0; row < p.n_rows; ++row) {
      const std::int64_t position = p.n_keys - p.n_rows + row;
      double* scores = e.scores.data() + (head * p.n_rows + row) * p.n_keys;
      double* out = e.out.data() + (row * n_heads + head) * d;
      const float* query = p.query.data() + (head * p.n_rows + row) * d;
      const std::int64_t first = keys_before_window(position, rule.window);
      const double slope = rule.of_head(head).alibi_slope;
      double most = -std::numeric_limits<double>::infinity(), sum = 0;
      const auto is_kept = [&](std::int64_t t) { return t >= kept.shape(1) || kept(kv, t) != 0; };
      for (std::int64_t t = first; t <= position; ++t) {
        if (!is_kept(t)) continue;
        const float* key = p.key.data() + (kv * p.n_keys + t) * d;
        double dot = 0;
        for (std::int64_t i = 0; i < d; ++i) dot += static_cast<double>(query[i]) * key[i];
        scores[t] =
            dot / std::sqrt(static_cast<double>(d)) - slope * static_cast<double>(position - t);
        most = std::max(most, scores[t]);
      }
      for (std::int64_t t = first; t <= position; ++t) {
        scores[t] = is_kept(t) ? std::exp(scores[t] - most) : 0;
        sum += scores[t];
      }
      for (std::int64_t t = first; t <= position; ++t) {
        scores[t] /= sum;
        const float* value = p.value.data() + (kv * p.n_keys + t) * d;
        for (std::int64_t i = 0; i < d; ++i) out[i] += scores[t] * value[i];
      }
    }
  }
  return e;
}

void expect_near(const std::vector<float>& ours, const std::vector<double>& expected, double bound,
                 const std::string& what) {
  Deviation d;
  d.add<float, double>(ours, expected);
  EXPECT_LE(d.max_abs, bound) << what;
}

// Rows sum to one, and nothing is seen behind a row's position or before its window.
void expect_distributions(const Problem& p, std::int64_t window, const std::vector<float>& scores) {
  for (std::int64_t i = 0; i < p.shape.n_heads * p.n_rows; ++i) {
    const std::int64_t position = p.n_keys - p.n_rows + i % p.n_rows;
    const std::int64_t first = keys_before_window(position, window);
    const float* row = scores.data() + i * p.n_keys;
    double sum = 0;
    for (std::int64_t t = 0; t < p.n_keys; ++t) {
      if (t < first || t > position) {
        ASSERT_EQ(row[t], 0.0f) << "row " << i << ", key " << t;
      }
      sum += row[t];
    }
    ASSERT_NEAR(sum, 1.0, 1e-6) << "row " << i;
  }
}

class Attention : public testing::TestWithParam<std::tuple<int, int>> {};

// Rows and keys on both sides of a panel (32 keys), of a block of rows (24), of a stretch (512).
TEST_P(Attention, IsSoftmaxOfQueryAndKeyTimesValue) {
  const auto [head_dim, group] = GetParam();
  for (const std::int64_t n_keys : {1, 31, 32, 33, 511, 513, 1300}) {
    for (const std::int64_t most_rows : {1, 29}) {
      const Problem p(head_dim, group, n_keys, std::min(most_rows, n_keys));
      for (const std::int64_t window : {0, 1, 8, 40}) {
        const std::string what = "keys " + std::to_string(n_keys) + ", rows " +
                                 std::to_string(p.n_rows) + ", window " + std::to_string(window);
        const Expected expected = expected_of(p, {window});
        std::vector<float> out, untapped, scores = p.blank_scores();
        attend(p.call({window}, out), p.whole(), scores.data());
        attend(p.call({window}, untapped), p.whole(), nullptr);
        expect_near(out, expected.out, 5e-6, what);
        expect_near(scores, expected.scores, 2e-6, what);
        expect_distributions(p, window, scores);
        EXPECT_EQ(untapped, out) << what << ": the same bytes whether scores are wanted or not";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(HeadSizes, Attention,
                         testing::Combine(testing::Values(16, 24, 64, 80, 128),
                                          testing::Values(1, 3, 4)),
                         [](const auto& each) {
                           return "D" + std::to_string(std::get<0>(each.param)) + "_group" +
                                  std::to_string(std::get<1>(each.param));
                         });

// Slopes from none at all to one that leaves few keys; stretches of 512 keys each begin elsewhere.
TEST(Attention, ScoresLoseAlibisSlopeTimesTheDistance) {
  for (const std::int64_t n_keys : {1, 33, 513, 1300}) {
    for (const std::int64_t most_rows : {1, 29}) {
      const Problem p(24, 3, n_keys, std::min(most_rows, n_keys));
      std::vector<float> slopes = alibi_slopes(p.shape.n_heads);
      slopes.front() = 0.0f;
      for (const std::int64_t window : {0, 40}) {
        const LayerScoreRule rule{window, slopes};
        const std::string what = "keys " + std::to_string(n_keys) + ", rows " +
                                 std::to_string(p.n_rows) + ", window " + std::to_string(window);
        const Expected expected = expected_of(p, rule);
        std::vector<float> out, untapped, scores = p.blank_scores();
        attend(p.call(rule, out), p.whole(), scores.data());
        attend(p.call(rule, untapped), p.whole(), nullptr);
        // A logit of -600 is a float to 3e-5.
        expect_near(out, expected.out, 2e-5, what);
        expect_near(scores, expected.scores, 1e-5, what);
        expect_distributions(p, window, scores);
        EXPECT_EQ(untapped, out) << what;
      }
    }
  }
}

// One KV head drops more than a stretch of 512 keys and parts of others, the other every third key.
TEST(Attention, EvictedKeysLeaveTheSoftmax) {
  for (const std::int64_t n_rows : {1, 29}) {
    const Problem p(24, 3, 1300, n_rows);
    Kept kept({kKvHeads, 1300 - n_rows}, std::uint8_t{1});
    for (std::int64_t t = 0; t < kept.shape(1); ++t) {
      kept(0, t) = t < 3 || t > 1100;
      kept(1, t) = t % 3 != 0;
    }
    for (const std::int64_t window : {0, 1, 40, 800}) {
      const Expected expected = expected_of(p, {window}, kept);
      std::vector<float> out, untapped, scores = p.blank_scores();
      AttentionCall call = p.call({window}, out);
      call.kept = kept.view();
      attend(call, p.whole(), scores.data());
      const std::string what = cat("rows ", n_rows, ", window ", window);
      expect_near(out, expected.out, 5e-6, what);
      expect_near(scores, expected.scores, 2e-6, what);
      expect_distributions(p, window, scores);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        ASSERT_EQ(scores[i] == 0.0f, expected.scores[i] == 0.0) << what << ", number " << i;
      }
      call = p.call({window}, untapped);
      call.kept = kept.view();
      attend(call, p.whole(), nullptr);
      EXPECT_EQ(untapped, out) << what;
    }
  }
}

TEST(Attention, OfKeysThatAreAllKeptIsWhatItWas) {
  for (const std::int64_t n_rows : {1, 29}) {
    const Problem p(24, 3, 600, n_rows);
    const Kept all({kKvHeads, 600 - n_rows}, std::uint8_t{1});
    std::vector<float> out, same;
    attend(p.call({}, out), p.whole(), nullptr);
    AttentionCall call = p.call({}, same);
    call.kept = all.view();
    attend(call, p.whole(), nullptr);
    EXPECT_EQ(same, out);
  }
}

// All but the largest `top_k` scores of a row left out, and the values mixed by the rest.
Expected sparse(const Problem& p, const Expected& dense, std::int64_t top_k) {
  const std::int64_t d = p.shape.head_dim;
  Expected out{std::vector<double>(dense.scores.size()), std::vector<double>(dense.out.size())};
  for (std::int64_t i = 0; i < p.shape.n_heads * p.n_rows; ++i) {
    const double* from = dense.scores.data() + i * p.n_keys;
    double* to = out.scores.data() + i * p.n_keys;
    std::vector<double> sorted(from, from + p.n_keys);
    std::ranges::sort(sorted, std::greater());
    sorted.resize(static_cast<std::size_t>(std::min(top_k, p.n_keys)));
    double sum = 0;
    for (const double score : sorted) sum += score;
    const std::int64_t head = i / p.n_rows, kv = head / p.shape.group_size();
    double* mixed = out.out.data() + (i % p.n_rows * p.shape.n_heads + head) * d;
    for (std::int64_t t = 0; t < p.n_keys; ++t) {
      if (from[t] == 0 || from[t] < sorted.back()) continue;
      to[t] = from[t] / sum;
      const float* value = p.value.data() + (kv * p.n_keys + t) * d;
      for (std::int64_t c = 0; c < d; ++c) mixed[c] += to[t] * double{value[c]};
    }
  }
  return out;
}

TEST(SparseAttention, IsTheSoftmaxOfTheLargestLogits) {
  for (const std::int64_t n_keys : {1, 33, 600}) {
    for (const std::int64_t most_rows : {1, 29}) {
      const Problem p(64, 3, n_keys, std::min(most_rows, n_keys));
      for (const std::int64_t window : {0, 40}) {
        const Expected dense = expected_of(p, {window});
        for (const std::int64_t top_k : {1, 5, 32}) {
          const std::string what = "keys " + std::to_string(n_keys) + ", rows " +
                                   std::to_string(p.n_rows) + ", window " + std::to_string(window) +
                                   ", top " + std::to_string(top_k);
          const Expected expected = sparse(p, dense, top_k);
          std::vector<float> out, untapped, scores = p.blank_scores();
          AttentionCall call = p.call({window, {}, top_k}, out);
          attend(call, p.whole(), scores.data());
          call = p.call({window, {}, top_k}, untapped);
          attend(call, p.whole(), nullptr);
          expect_near(out, expected.out, 5e-6, what);
          expect_near(scores, expected.scores, 2e-6, what);
          EXPECT_EQ(untapped, out) << what;
        }
      }
    }
  }
}

TEST(SparseAttention, OfAllKeysGivesTheBytesOfAttention) {
  for (const std::int64_t n_rows : {1, 29}) {
    const Problem p(64, 3, 600, n_rows);
    std::vector<float> dense, wide;
    attend(p.call({}, dense), p.whole(), nullptr);
    AttentionCall call = p.call({.top_k = 600}, wide);
    attend(call, p.whole(), nullptr);
    EXPECT_EQ(wide, dense) << n_rows << " rows";
  }
}

// A long run is tapped some heads and some rows at a time.
TEST(AttentionParts, GiveTheBytesOfTheWhole) {
  const Problem p(24, 3, 600, 70);
  for (const std::int64_t window : {0, 8, 40}) {
    std::vector<float> out, pieced;
    std::vector<float> scores = p.blank_scores(), pieced_scores = p.blank_scores();
    attend(p.call({window}, out), p.whole(), scores.data());
    const AttentionCall call = p.call({window}, pieced);
    for (std::int64_t head = 0; head < p.shape.n_heads; ++head) {
      for (const auto& [first, n] : {std::pair{0, 11}, std::pair{11, 1}, std::pair{12, 58}}) {
        attend(call, {head, 1, first, n},
               pieced_scores.data() + (head * p.n_rows + first) * p.n_keys);
      }
    }
    EXPECT_EQ(pieced, out) << "window " << window;
    EXPECT_EQ(pieced_scores, scores) << "window " << window;
  }
}

TEST(AttentionParts, WriteNothingOfOtherHeadsAndRows) {
  const Problem p(16, 3, 100, 40);
  std::vector<float> out;
  const AttentionPart part{2, 3, 7, 26};
  attend(p.call({}, out), part, nullptr);
  const std::int64_t d = p.shape.head_dim, n_heads = p.shape.n_heads;
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    for (std::int64_t head = 0; head < n_heads; ++head) {
      const bool ours = head >= 2 && head < 5 && row >= 7 && row < 33;
      for (std::int64_t i = 0; i < d; ++i) {
        const float x = out[static_cast<std::size_t>((row * n_heads + head) * d + i)];
        ASSERT_NE(std::isnan(x), ours) << "row " << row << ", head " << head;
      }
    }
  }
}

// Scores of some hundreds would overflow as exponentials, and a stretch of 512 keys may weigh
// nothing beside another.
TEST(Attention, LargeScoresDoNotOverflow) {
  for (const std::int64_t n_rows : {1, 30}) {
    const Problem p(64, 4, 1300, n_rows, 100.0f);
    const Expected expected = expected_of(p, {});
    std::vector<float> out, scores = p.blank_scores();
    attend(p.call({}, out), p.whole(), scores.data());
    // A dot product of 300 is exact to 3e-5, and a score that much.
    expect_near(out, expected.out, 2e-4, "out");
    expect_near(scores, expected.scores, 1e-4, "scores");
    expect_distributions(p, 0, scores);
  }
}

// Keys behind the run, of an earlier and longer one, are not seen.
TEST(Attention, SeesNothingBehindItsRun) {
  for (const std::int64_t n_rows : {1, 20}) {
    const Problem longer(16, 2, 70, n_rows);
    std::vector<float> out, again;
    AttentionCall call = longer.call({}, out);
    call.first_position = 40 - n_rows;
    attend(call, longer.whole(), nullptr);

    Problem poisoned(16, 2, 70, n_rows);
    const std::vector<float> poison(16, kNan);
    for (std::int64_t head = 0; head < kKvHeads; ++head) {
      for (std::int64_t t = 40; t < 70; ++t) {
        poisoned.cache.append(kLayer, head, t, poison.data(), poison.data());
      }
    }
    call = poisoned.call({}, again);
    call.first_position = 40 - n_rows;
    attend(call, poisoned.whole(), nullptr);
    EXPECT_EQ(again, out);
  }
}

}  // namespace
}  // namespace qaq
