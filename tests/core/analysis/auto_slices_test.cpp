// Slices that analyses make, of captures in which they are planted.
#include "core/analysis/auto_slices.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::int64_t kTokens = 12;

// Every row gives half its attention to token 0, a fifth to token 4 and the rest to itself.
MemoryCapture planted() {
  const SyntheticShape shape{.n_tokens = kTokens};
  CaptureInfo info = synthetic_info(shape);
  info.token_text.assign(kTokens, " word");
  info.token_text[3] = ",";
  info.token_text[7] = " \u201D";
  info.token_text[8] = " a.";
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 3);
  for (auto& scores : arrays.attention) {
    std::ranges::fill(scores.span(), 0.0f);
    for (std::int64_t head = 0; head < scores.shape(0); ++head) {
      for (std::int64_t row = 0; row < kTokens; ++row) {
        scores(head, row, row) += 0.3f;
        scores(head, row, 0) += 0.5f;
        scores(head, row, std::min<std::int64_t>(4, row)) += 0.2f;
      }
    }
  }
  for (auto* side : {&arrays.key, &arrays.value}) {
    for (auto& cache : *side) {
      std::ranges::fill(cache.span(), 1.0f);
      if (side == &arrays.value) {
        for (std::int64_t head = 0; head < cache.shape(0); ++head) cache(head, 9, 2) = -5;
      }
    }
  }
  return {std::move(info), std::move(arrays)};
}

const NamedSlice* slice_of(const std::vector<NamedSlice>& slices, const std::string& name) {
  const auto at = std::ranges::find(slices, name, &NamedSlice::name);
  return at == slices.end() ? nullptr : &*at;
}

TEST(AutoSlices, FindWhatIsPlanted) {
  const MemoryCapture capture = planted();
  const TokenTraits traits = token_traits(capture);
  EXPECT_NEAR(traits.attention[0], 0.5 + (0.3 + 0.2) / kTokens, 1e-6);
  EXPECT_NEAR(traits.reach[9], 5, 1e-6) << "of values, though keys say 1";
  EXPECT_NEAR(traits.reach[8], 1, 1e-6);

  ViolationReport report;
  report.violations = {{.layer = 1, .head = 2, .step = 9, .token = 6},
                       {.layer = 0, .head = 0, .step = 11, .token = 6}};
  const auto slices = auto_slices({.info = &capture.info(),
                                   .traits = &traits,
                                   .violations = &report,
                                   .violation_ratio = 4,
                                   .prefix = 10,
                                   .forced = 2});
  const auto tokens = [&](const char* name) {
    const NamedSlice* slice = slice_of(slices, name);
    EXPECT_NE(slice, nullptr) << name;
    EXPECT_TRUE(slice->automatic);
    EXPECT_TRUE(slice->cells.is_of_tokens());
    EXPECT_FALSE(slice->help.empty());
    return slice->cells.tokens();
  };
  using Ranges = std::vector<TokenRange>;
  EXPECT_EQ(tokens("sinks"), (Ranges{{0, 0}, {4, 4}}));
  EXPECT_EQ(tokens("violations"), (Ranges{{6, 6}}));
  EXPECT_EQ(tokens("newest"), (Ranges{{8, 9}}));
  EXPECT_EQ(tokens("outlier tokens"), (Ranges{{9, 9}}));
  EXPECT_EQ(tokens("punctuation"), (Ranges{{3, 3}, {7, 7}})) << "“a.” is a word, too";
}

TEST(AutoSlices, WithoutTokensThereIsNoSlice) {
  const MemoryCapture capture = planted();
  TokenTraits traits = token_traits(capture);
  traits.attention.clear();  // as of a capture without attention
  const auto slices = auto_slices({.info = &capture.info(), .traits = &traits, .prefix = kTokens});
  EXPECT_EQ(slice_of(slices, "sinks"), nullptr);
  EXPECT_EQ(slice_of(slices, "violations"), nullptr);
  EXPECT_EQ(slice_of(slices, "newest"), nullptr);
}

TEST(AutoSlices, ATokenTakesAShareOfTheNewestRowsAlone) {
  const SyntheticShape shape{.n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 100};
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 4);
  auto& scores = arrays.attention[0];
  std::ranges::fill(scores.span(), 0.0f);
  for (std::int64_t row = 0; row < 100; ++row) scores(0, row, row < 36 ? 0 : 20) = 1;
  const MemoryCapture capture(synthetic_info(shape), std::move(arrays));
  const TokenTraits traits = token_traits(capture);
  EXPECT_DOUBLE_EQ(traits.attention[0], 0) << "rows 36 to 99 are the newest 64";
  EXPECT_DOUBLE_EQ(traits.attention[20], 1);
}

}  // namespace
}  // namespace qaq::test
