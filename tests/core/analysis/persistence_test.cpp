// The persistence ratio by hand, and its figures in section 7 of the mathematics.
#include "core/analysis/persistence.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

#include "core/base/parallel.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

double mean(std::span<const double> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

TEST(Persistence, FiguresOfTheNarrativePrompt) {
  const auto capture =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
  const auto found = persistence(*capture);
  ASSERT_TRUE(found);
  struct Expected {
    double mean, min, share;
  };
  const std::vector<Expected> layers{
      {0.937, 0.789, 0.85}, {0.988, 0.935, 0.87}, {0.862, 0.565, 0.63}, {0.855, 0.538, 0.65}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto layer = static_cast<std::int64_t>(i);
    const auto ratio = found->ratio.sub(layer).span();
    EXPECT_NEAR(mean(ratio), layers[i].mean, 5e-4) << i;
    EXPECT_NEAR(*std::ranges::min_element(ratio), layers[i].min, 5e-4) << i;
    EXPECT_NEAR(mean(found->share.sub(layer).span()), layers[i].share, 5e-3) << i;
  }
}

// Four tokens, so h = 2.
std::optional<Persistence> of_rows(const std::vector<std::vector<float>>& rows) {
  const SyntheticShape shape{
      .n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 4, .head_dim = 2};
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  for (std::size_t s = 0; s < 4; ++s) {
    std::ranges::copy(rows[s], arrays.attention[0].sub(0, static_cast<std::int64_t>(s)).data());
  }
  return persistence(MemoryCapture(synthetic_info(shape), std::move(arrays)));
}

TEST(Persistence, ByHand) {
  // Token 0 is pivotal early, token 1 late alone: of the late ones half were pivotal before.
  const auto late = of_rows({{1, 0, 0, 0}, {.9f, .1f, 0, 0}, {.4f, .5f, .1f, 0}, {0, .2f, 0, .8f}});
  EXPECT_EQ(late->ratio(0, 0), 0.5);
  EXPECT_EQ(late->share(0, 0), 0.5);
  // A score of exactly 1 / (s + 1) is not pivotal: row 0 has 1, row 1 has 1/2 twice.
  const auto fair = of_rows({{1, 0, 0, 0}, {.5f, .5f, 0, 0}, {.1f, .8f, .1f, 0}, {0, 0, 1, 0}});
  EXPECT_EQ(fair->share(0, 0), 0.0);
  EXPECT_EQ(fair->ratio(0, 0), 0.0);
  // No token of the first half is pivotal in the second: nothing that did not persist.
  const auto none = of_rows({{1, 0, 0, 0}, {.9f, .1f, 0, 0}, {0, 0, 1, 0}, {0, 0, .5f, .5f}});
  EXPECT_EQ(none->ratio(0, 0), 1.0);
}

TEST(Persistence, NeedsEveryRow) {
  EXPECT_FALSE(persistence(synthetic_capture({}, 1, 10)));
  EXPECT_FALSE(persistence(synthetic_capture({.n_tokens = 1})));
  EXPECT_TRUE(persistence(synthetic_capture({.n_tokens = 2})));
}

TEST(Persistence, IsTheSameWhateverTheThreads) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 50});
  set_thread_count(1);
  const auto one = persistence(capture);
  set_thread_count(3);
  const auto three = persistence(capture);
  set_thread_count(0);
  EXPECT_TRUE(std::ranges::equal(one->ratio.span(), three->ratio.span()));
  EXPECT_TRUE(std::ranges::equal(one->share.span(), three->share.span()));
}

}  // namespace
}  // namespace qaq::test
