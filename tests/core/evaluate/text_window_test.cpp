#include "core/evaluate/text_window.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/evaluate/summary.h"
#include "tests/core/evaluate/tiny_runs.h"
#include "tests/support/tap_recorder.h"

namespace qaq {
namespace {

TEST(TextWindows, EveryPositionBehindTheFirstPrefixIsScoredOnce) {
  for (const std::int64_t n : {13, 14, 20, 21, 57}) {
    for (const auto& [window, stride] :
         std::vector<std::pair<int, int>>{{16, 4}, {16, 15}, {2, 1}}) {
      std::vector<int> seen(static_cast<std::size_t>(n), 0);
      for (const TextWindow& w : text_windows(n, window, stride)) {
        EXPECT_EQ(w.n_prefix, window - stride);
        EXPECT_LE(w.n_tokens, window);
        for (std::int64_t i = w.first + w.n_prefix; i < w.first + w.n_tokens; ++i) {
          ++seen[static_cast<std::size_t>(i)];
        }
      }
      for (std::int64_t i = 0; i < n; ++i) {
        EXPECT_EQ(seen[static_cast<std::size_t>(i)], i < window - stride ? 0 : 1) << n << " " << i;
      }
    }
  }
}

TEST(TextWindows, AreRefusedWhereNothingIsScored) {
  const auto kind = [](std::int64_t n, std::int64_t window, std::int64_t stride) {
    try {
      text_windows(n, window, stride);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::work;
  };
  EXPECT_EQ(kind(12, 16, 4), ErrorKind::usage);
  EXPECT_EQ(kind(50, 16, 0), ErrorKind::usage);
  EXPECT_EQ(kind(50, 16, 16), ErrorKind::usage);
}

TEST(ScoreWindow, PerplexityIsThatOfPlainPasses) {
  const auto model = test::tiny_llama();
  const auto ids = test::token_ids(50);
  PrefixRun run(test::opener(model, 20), {test::exact_params(), test::coarse_params()});
  std::vector<ItemResult> items;
  double nll = 0;
  int n = 0;
  for (const TextWindow& w : text_windows(50, 20, 8)) {
    items.push_back(score_window(run, ids, w, {}));
    test::TapRecorder taps(model->spec().shape, w.n_tokens);
    const std::vector<std::int32_t> part(ids.begin() + w.first, ids.begin() + w.first + w.n_tokens);
    make_cpu_backend()->open(model, {w.n_tokens, w.n_tokens})->run(part, &taps);
    for (std::int64_t i = w.n_prefix; i < w.n_tokens && w.first + i + 1 < 50; ++i) {
      nll -= log_probability(taps.logits.sub(i).span(),
                             ids[static_cast<std::size_t>(w.first + i) + 1]);
      ++n;
    }
  }
  EXPECT_EQ(n, 50 - 12 - 1);
  const SettingSummary exact = summarize(items, 0), coarse = summarize(items, 1);
  EXPECT_EQ(exact.perplexity->n, n);
  EXPECT_NEAR(exact.perplexity->reference, std::exp(nll / n), 1e-3);
  EXPECT_EQ(exact.perplexity->quantized, exact.perplexity->reference);
  EXPECT_EQ(exact.divergences.kl_max, 0);
  EXPECT_EQ(exact.divergences.n_positions, 50 - 12);
  EXPECT_NE(coarse.perplexity->quantized, coarse.perplexity->reference);
  EXPECT_FALSE(exact.accuracy);
}

}  // namespace
}  // namespace qaq
