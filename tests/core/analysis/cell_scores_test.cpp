#include "core/analysis/cell_scores.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/replay/memory_capture.h"

namespace qaq {
namespace {

// One layer, two query heads on one KV head, two channels, three tokens; the last one reads. Scores
// are as they follow from the queries and keys below.
struct SmallRow {
  SmallRow() {
    info.name = "small";
    info.shape = {.n_layers = 1, .n_heads = 2, .n_kv_heads = 1, .head_dim = 2};
    info.layers = {0};
    info.n_tokens = info.n_prompt = 3;
    info.query_token = {0, 1, 2};
    info.profile = AttentionProfile::derive;
  }
  MemoryCapture capture() const {
    MemoryCapture::Arrays arrays;
    arrays.query.push_back(filled(2, {0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1}));
    arrays.key.push_back(filled(1, key));
    arrays.value.push_back(filled(1, value));
    return {info, std::move(arrays)};
  }
  static NdArray<float, 3> filled(std::int64_t n_heads, const std::vector<float>& numbers) {
    NdArray<float, 3> out({n_heads, 3, 2});
    std::ranges::copy(numbers, out.data());
    return out;
  }
  static CacheSource source(const std::vector<float>& key, const std::vector<float>& value) {
    CacheSource out;
    out.key.push_back(std::make_shared<const NdArray<float, 3>>(filled(1, key)));
    out.value.push_back(std::make_shared<const NdArray<float, 3>>(filled(1, value)));
    return out;
  }

  CaptureInfo info;
  std::vector<float> key{1, 0, 0, 1, 0, 0}, value{1, 0, 0, 2, 3, 3};
};

TEST(CellScores, ByHand) {
  const SmallRow small;
  const MemoryCapture capture = small.capture();
  // Token 0's key errs by 0.3 in the first channel, token 1's value by (0.3, 0.4).
  const CellScores scores =
      cell_scores(capture, SmallRow::source({1.3f, 0, 0, 1, 0, 0}, {1, 0, 0.3f, 2.4f, 3, 3}), 2, 2);
  ASSERT_EQ(scores.shape(), (Shape<4>{2, 1, 1, 2}));
  // Head 0 reads by q = (2, 0): logits sqrt(2), 0, 0. Head 1 by (0, 1): 0, 1 / sqrt(2), 0.
  const double a = std::exp(std::sqrt(2.0)), b = std::exp(1 / std::sqrt(2.0));
  const double s0[] = {a / (a + 2), 1 / (a + 2), 1 / (a + 2)};
  const double s1[] = {1 / (b + 2), b / (b + 2), 1 / (b + 2)};
  const auto output = [&](const double* s) {
    return std::pair(s[0] * 1 + s[2] * 3, s[1] * 2 + s[2] * 3);
  };
  const auto x0 = output(s0);
  EXPECT_NEAR(scores(1, 0, 0, 1), (s0[1] + s1[1]) * 0.5, 1e-6);
  EXPECT_EQ(scores(1, 0, 0, 0), 0);
  EXPECT_EQ(scores(0, 0, 0, 1), 0);
  // The logit of head 0 grows by 2 * 0.3 / sqrt(2); head 1 does not see that channel.
  const double grown = s0[0] * std::expm1(0.6 / std::sqrt(2.0));
  const double distance = std::hypot(1 - x0.first, x0.second);
  EXPECT_NEAR(scores(0, 0, 0, 0), grown / (1 + grown) * distance, 1e-6);
}

// What the score of a lone key is: the change of the output, whatever its size.
TEST(CellScores, AKeysScoreIsTheChangeOfTheOutput) {
  const SmallRow small;
  const MemoryCapture capture = small.capture();
  for (const float key : {-8.0f, 0.5f, 4.0f, 400.0f}) {
    const CellScores scores =
        cell_scores(capture, SmallRow::source({key, 0, 0, 1, 0, 0}, small.value), 2, 2);
    const auto output = [](double first_key) {
      const double w = std::exp(std::min(600.0, first_key * 2 / std::sqrt(2.0)));
      return std::pair((w * 1 + 3) / (w + 2), (2.0 + 3) / (w + 2));
    };
    const auto before = output(1), after = output(key);
    const double change = std::hypot(after.first - before.first, after.second - before.second);
    EXPECT_NEAR(scores(0, 0, 0, 0), change, 1e-5) << key;
  }
}

TEST(CellScores, IndicesNameTheirCells) {
  const CellScores scores({2, 3, 4, 5});
  for (std::int64_t index = 0; index < scores.size(); ++index) {
    const CellAddress cell = cell_at(scores, index);
    const std::int64_t side = cell.side == CacheSide::key ? 0 : 1;
    EXPECT_EQ(((side * 3 + cell.layer) * 4 + cell.kv_head) * 5 + cell.token, index);
  }
}

TEST(CellScores, ARowThatWasNotCapturedIsRefused) {
  SmallRow small;
  small.info.query_token = {0, 1};
  const MemoryCapture capture = small.capture();
  EXPECT_THROW(cell_scores(capture, SmallRow::source(small.key, small.value), 2, 2), Error);
}

}  // namespace
}  // namespace qaq
