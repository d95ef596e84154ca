// Captures of a model with ALiBi: whatever makes scores again from queries and keys has to take the
// slopes in. Scores are captured from a float64 loop that is written out here; a cache that is all
// but exact must then change next to nothing.

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "core/model/position_embedding.h"
#include "core/replay/bound_check.h"
#include "core/replay/replay.h"
#include "core/replay/row_errors.h"
#include "core/replay/streaming.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr SyntheticShape kShape{.n_tokens = 40};

// softmax(q . k / sqrt(D) - slope (i - j)), causal.
NdArray<float, 3> scores_by_hand(const NdArray<float, 3>& query, const NdArray<float, 3>& key,
                                 const std::vector<float>& slopes) {
  const std::int64_t n_heads = query.shape(0), n_tokens = query.shape(1), d = query.shape(2);
  NdArray<float, 3> out({n_heads, n_tokens, n_tokens});
  for (std::int64_t head = 0; head < n_heads; ++head) {
    const std::int64_t kv = head / (n_heads / key.shape(0));
    for (std::int64_t i = 0; i < n_tokens; ++i) {
      std::vector<double> row;
      for (std::int64_t j = 0; j <= i; ++j) {
        double dot = 0;
        for (std::int64_t c = 0; c < d; ++c) dot += double{query(head, i, c)} * key(kv, j, c);
        row.push_back(
            std::exp(dot / std::sqrt(static_cast<double>(d)) -
                     slopes[static_cast<std::size_t>(head)] * static_cast<double>(i - j)));
      }
      const double sum = std::accumulate(row.begin(), row.end(), 0.0);
      for (std::int64_t j = 0; j <= i; ++j) {
        out(head, i, j) = static_cast<float>(row[static_cast<std::size_t>(j)] / sum);
      }
    }
  }
  return out;
}

MemoryCapture alibi_capture(AttentionProfile profile, std::int64_t n_prompt = kShape.n_tokens) {
  CaptureInfo info = synthetic_info(kShape);
  info.profile = profile;
  info.n_prompt = n_prompt;
  info.position_embedding = PositionEmbedding::alibi;
  info.alibi_slopes = alibi_slopes(kShape.n_heads);
  MemoryCapture::Arrays arrays = arrays_without_attention(kShape, 5);
  for (std::size_t layer = 0; profile == AttentionProfile::full && layer < arrays.key.size();
       ++layer) {
    arrays.attention.push_back(
        scores_by_hand(arrays.query[layer], arrays.key[layer], info.alibi_slopes));
  }
  return {std::move(info), std::move(arrays)};
}

QaqParams fixed_bits(int n_bits) {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->use_attentions = false;
    side->n_bits_uniform = n_bits;
    side->range_rule = RangeChoice::minmax;  // a range around the mean would clip, at any bits
  }
  return params;
}

TEST(Alibi, DerivedScoresAreThoseOfTheModel) {
  const MemoryCapture stored = alibi_capture(AttentionProfile::full),
                      derived = alibi_capture(AttentionProfile::derive);
  for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
    const auto a = stored.attention(layer, 0, kShape.n_tokens),
               b = derived.attention(layer, 0, kShape.n_tokens);
    for (std::size_t i = 0; i < a->span().size(); ++i) {
      ASSERT_NEAR(a->span()[i], b->span()[i], 1e-6);
    }
  }
}

TEST(Alibi, AnExactCacheChangesNoRow) {
  const MemoryCapture capture = alibi_capture(AttentionProfile::full);
  const auto query = capture.query(1), key = capture.key(1), value = capture.value(1),
             scores = capture.attention(1, 0, kShape.n_tokens);
  const auto largest = [&](const LayerScoreRule& rule) {
    const LayerCaches caches{query->view(), key->view(),     value->view(),
                             value->view(), kShape.n_tokens, rule};
    const RowErrors errors = row_errors(caches, scores->view(), capture.info().query_token);
    return *std::ranges::max_element(errors.attention.span());
  };
  EXPECT_LE(largest(capture.info().score_rule(1)), 1e-11);
  EXPECT_GT(largest({}), 0.1) << "without the slopes";
}

// The same scores, whose slopes nobody is told of.
MemoryCapture without_slopes(const MemoryCapture& capture) {
  CaptureInfo info = capture.info();
  info.position_embedding = PositionEmbedding::none;
  info.alibi_slopes.clear();
  MemoryCapture::Arrays arrays;
  for (std::int64_t layer = 0; layer < kShape.n_layers; ++layer) {
    arrays.key.push_back(capture.key(layer)->copy());
    arrays.value.push_back(capture.value(layer)->copy());
    arrays.query.push_back(capture.query(layer)->copy());
    arrays.attention.push_back(capture.attention(layer, 0, kShape.n_tokens)->copy());
  }
  return {std::move(info), std::move(arrays)};
}

// Keys of 10 bits are next to exact: their error is a small share of what leaving slopes out does.
constexpr double kShare = 1e-2;

TEST(Alibi, ReplaysAndStreamsCompareWithTheSlopes) {
  const MemoryCapture capture = alibi_capture(AttentionProfile::full, 20);
  const MemoryCapture untold = without_slopes(capture);
  const auto batch_error = [](const CaptureView& of) {
    return *replay(of, {.params = fixed_bits(10), .prefix = 20})->mean_attention_error;
  };
  EXPECT_GT(batch_error(capture), 0.0);
  EXPECT_LE(batch_error(capture), kShare * batch_error(untold));
  StreamingOptions options;
  options.params = fixed_bits(10);
  const SharedStreaming told = stream(capture, options), other = stream(untold, options);
  ASSERT_EQ(told->steps.size(), 20u);
  for (std::size_t i = 0; i < told->steps.size(); ++i) {
    EXPECT_GT(told->steps[i].attention_error, 0.0);
    EXPECT_LE(told->steps[i].attention_error, kShare * other->steps[i].attention_error);
  }
}

TEST(Alibi, PromisesAreHeldAgainstScoresWithTheSlopes) {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->n_bits_min = side->n_bits_max = 10;
  }
  const MemoryCapture capture = alibi_capture(AttentionProfile::full);
  const auto score_error = [&](const CaptureView& of) {
    const auto check = check_bound(of, {.replay = {.params = params, .prefix = 20}});
    for (const PromiseReport& report : check->promises) {
      if (report.promise == Promise::scores) return report.all.replayed.row_rms;
    }
    return 0.0;
  };
  EXPECT_GT(score_error(capture), 0.0);
  // Roots of mean squares.
  EXPECT_LE(score_error(capture), std::sqrt(kShare) * score_error(without_slopes(capture)));
}

}  // namespace
}  // namespace qaq::test
