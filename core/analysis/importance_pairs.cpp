#include "core/analysis/importance_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/analysis/jump_rows.h"
#include "core/analysis/row_table.h"
#include "core/base/parallel.h"

namespace qaq {
namespace {

// Where counting begins, before it is known where the pairs are; axes begin a decade above.
constexpr int kLeastDecade = -10;
// Axes begin at one fair share or below, to show what is less than fair.
constexpr int kMostFirstDecade = -1;
constexpr double kShareBelow = 0.05;

// The smallest power of ten that no score exceeds, in fair shares.
int last_decade(const CaptureInfo& info) {
  const auto most = static_cast<double>(info.n_tokens);
  return std::max(1, static_cast<int>(std::ceil(std::log10(most) - 1e-9)));
}

// What one query head adds.
struct HeadCounts {
  explicit HeadCounts(int n) : pairs({n, n}), violations({n, n}) {}

  void add(const JumpRow& row, const LogBins& bins, const ViolationParams& params) {
    const JumpTest is_jump(params, row.step);
    const auto fair = static_cast<float>(row.step + 1);
    for (std::size_t t = 0; t < row.scores.size(); ++t) {
      const float score = row.scores[t], window_max = row.window_max[t];
      const int y = bins.index(fair * score), x = bins.index(fair * window_max);
      ++pairs(y, x);
      if (is_jump(score, window_max)) ++violations(y, x);
    }
  }

  NdArray<std::int64_t, 2> pairs, violations;
};

void add_to(NdArray<std::int64_t, 2>& sum, const NdArray<std::int64_t, 2>& more) {
  for (std::size_t i = 0; i < sum.span().size(); ++i) sum.span()[i] += more.span()[i];
}

std::int64_t sum_of(const NdArray<std::int64_t, 2>& counts) {
  std::int64_t sum = 0;
  for (const std::int64_t n : counts.span()) sum += n;
  return sum;
}

// Pairs with a number in the first n bins of an axis.
std::int64_t n_in_first(const NdArray<std::int64_t, 2>& pairs, std::int64_t n) {
  std::int64_t sum = 0;
  for (std::int64_t y = 0; y < pairs.shape(0); ++y) {
    for (std::int64_t x = 0; x < pairs.shape(1); ++x) sum += y < n || x < n ? pairs(y, x) : 0;
  }
  return sum;
}

NdArray<std::int64_t, 2> without_first(const NdArray<std::int64_t, 2>& counts, std::int64_t n) {
  NdArray<std::int64_t, 2> out({counts.shape(0) - n, counts.shape(1) - n});
  for (std::int64_t y = 0; y < counts.shape(0); ++y) {
    for (std::int64_t x = 0; x < counts.shape(1); ++x) {
      out(std::max<std::int64_t>(0, y - n), std::max<std::int64_t>(0, x - n)) += counts(y, x);
    }
  }
  return out;
}

// Begins the axes where the pairs begin.
void trim(PairHistogram& histogram) {
  const auto most = static_cast<std::int64_t>(kShareBelow * static_cast<double>(histogram.n_pairs));
  int first = kMostFirstDecade;
  const auto below = [&](int decade) {
    return n_in_first(histogram.pairs, LogBins::kADecade * (decade - kLeastDecade));
  };
  // Zeros lie below wherever the axes begin.
  const std::int64_t always = n_in_first(histogram.pairs, 1);
  while (first > kLeastDecade + 1 && below(first) - always > most) --first;
  const std::int64_t n = LogBins::kADecade * (first - kLeastDecade);
  histogram.n_below = below(first);
  histogram.pairs = without_first(histogram.pairs, n);
  histogram.violations = without_first(histogram.violations, n);
  histogram.bins = LogBins(first, histogram.bins.last_decade());
}

struct PairCells {
  NdArray<float, 2> ratio, score, window_max;  // (T, T)
};

// Lets the pairs of one more head stand where they count for more than those that are there. Noise
// leaves its cell absent.
void add_row(const JumpRow& row, const JumpTest& test, PairCells& maps) {
  float* const ratios = maps.ratio.sub(row.step).data();
  float* const scores = maps.score.sub(row.step).data();
  float* const window_maxima = maps.window_max.sub(row.step).data();
  for (std::size_t t = 0; t < row.scores.size(); ++t) {
    const float score = row.scores[t], window_max = row.window_max[t];
    const bool is_noise = !test.is_above_floor(score) && !test.is_above_floor(window_max);
    const bool only_noise = !Heatmap::is_value(ratios[t]);
    if (is_noise && (!only_noise || score < scores[t])) continue;
    if (!is_noise) {
      const float ratio = window_max > 0 ? score / window_max : std::numeric_limits<float>::max();
      if (!only_noise && ratio <= ratios[t]) continue;
      ratios[t] = ratio;
    }
    scores[t] = score;
    window_maxima[t] = window_max;
  }
}

std::int64_t window_of(const ViolationParams& params, int default_window) {
  return params.violation_window > 0 ? params.violation_window : default_window;
}

}  // namespace

PairHistogram pair_histogram(const CaptureView& capture, const std::optional<HeadRange>& heads,
                             const ViolationParams& params, int default_window, const Work& work) {
  const CaptureInfo& info = capture.info();
  const std::int64_t first_layer = heads ? heads->layer_index : 0;
  const std::int64_t n_layers = heads ? 1 : info.n_captured_layers();
  const std::int64_t first_head = heads ? heads->first_head : 0;
  const std::int64_t n_heads = heads ? heads->n_heads : info.shape.n_heads;
  PairHistogram out;
  out.window = window_of(params, default_window);
  out.bins = LogBins(kLeastDecade, last_decade(info));
  std::vector<HeadCounts> counts;
  for (std::int64_t i = 0; i < n_heads; ++i) counts.emplace_back(out.bins.size());
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({"importance pairs", layer, n_layers, "layers"});
    const auto count = [&](const NdView<const float, 3>& scores, std::int64_t position) {
      parallel_for(n_heads, [&](std::int64_t head) {
        HeadCounts& own = counts[static_cast<std::size_t>(head)];
        for_each_jump_row(scores.sub(first_head + head), position, out.window,
                          [&](const JumpRow& row) { own.add(row, out.bins, params); });
      });
    };
    for_each_score_block(capture, first_layer + layer, out.window, count, work);
  }
  work.report({"importance pairs", n_layers, n_layers, "layers"});
  out.pairs = NdArray<std::int64_t, 2>({out.bins.size(), out.bins.size()});
  out.violations = NdArray<std::int64_t, 2>({out.bins.size(), out.bins.size()});
  for (const HeadCounts& own : counts) {
    add_to(out.pairs, own.pairs);
    add_to(out.violations, own.violations);
  }
  out.n_pairs = sum_of(out.pairs);
  out.n_violations = sum_of(out.violations);
  trim(out);
  return out;
}

Heatmap histogram_map(const PairHistogram& histogram) {
  const std::int64_t n = histogram.bins.size();
  NdArray<float, 2> cells({n, n}, Heatmap::kImpossible);
  for (std::int64_t y = 0; y < n; ++y) {
    for (std::int64_t x = 0; x < n; ++x) {
      const std::int64_t pairs = histogram.pairs(y, x);
      if (pairs > 0) cells(n - 1 - y, x) = static_cast<float>(pairs);
    }
  }
  return Heatmap(std::move(cells));
}

Table pair_histogram_table(const PairHistogram& histogram) {
  std::vector<std::vector<Cell>> rows;
  const auto low = [&](int bin) { return real_cell(bin == 0 ? 0.0 : histogram.bins.edge(bin)); };
  for (int y = 0; y < histogram.bins.size(); ++y) {
    for (int x = 0; x < histogram.bins.size(); ++x) {
      if (histogram.pairs(y, x) == 0) continue;
      rows.push_back({low(x), real_cell(histogram.bins.edge(x + 1)), low(y),
                      real_cell(histogram.bins.edge(y + 1)), histogram.pairs(y, x),
                      histogram.violations(y, x)});
    }
  }
  const auto real = [](const char* name) {
    return Column{.name = name, .kind = ColumnKind::real, .unit = "fair shares"};
  };
  return table_of({real("window_max_from"),
                   real("window_max_to"),
                   real("score_from"),
                   real("score_to"),
                   {.name = "pairs", .unit = "1"},
                   {.name = "violations", .unit = "1"}},
                  std::move(rows));
}

std::vector<Violation> strongest_jumps(const ViolationReport& report,
                                       const std::optional<HeadRange>& heads) {
  std::vector<Violation> out;
  for (const Violation& violation : report.violations) {
    if (!heads || heads->holds(violation)) out.push_back(violation);
  }
  std::ranges::stable_sort(out, std::ranges::greater{}, [](const Violation& violation) {
    return std::pair(jump_ratio(violation), violation.score);
  });
  return out;
}

PairMaps pair_maps(const CaptureView& capture, const HeadRange& heads,
                   const ViolationParams& params, int default_window, const Work& work) {
  const std::int64_t n_tokens = capture.info().n_tokens, n = window_of(params, default_window);
  PairCells maps{.ratio = NdArray<float, 2>({n_tokens, n_tokens}, Heatmap::kImpossible),
                 .score = NdArray<float, 2>({n_tokens, n_tokens}),
                 .window_max = NdArray<float, 2>({n_tokens, n_tokens})};
  for (std::int64_t s = n; s < n_tokens; ++s) {
    std::fill_n(maps.ratio.sub(s).data(), s - n + 1, Heatmap::kAbsent);
  }
  const auto fill = [&](const NdView<const float, 3>& scores, std::int64_t position) {
    for (std::int64_t head = heads.first_head; head < heads.first_head + heads.n_heads; ++head) {
      for_each_jump_row(scores.sub(head), position, n, [&](const JumpRow& row) {
        add_row(row, JumpTest(params, row.step), maps);
      });
    }
    // What every head calls noise.
    for (std::int64_t s = position + n; s < position + scores.shape(1); ++s) {
      const auto cells = maps.ratio.sub(s).span().first(static_cast<std::size_t>(s - n + 1));
      std::ranges::replace(cells, Heatmap::kAbsent, 1.0f);
    }
  };
  for_each_score_block(capture, heads.layer_index, n, fill, work);
  return {.ratio = Heatmap(std::move(maps.ratio)),
          .score = std::move(maps.score),
          .window_max = std::move(maps.window_max)};
}

}  // namespace qaq
