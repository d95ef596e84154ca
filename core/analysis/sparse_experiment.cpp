// ext-sparse-top-k
#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/experiment_settings.h"
#include "core/analysis/extension_experiments.h"
#include "core/analysis/row_table.h"
#include "core/analysis/setting_runs.h"
#include "core/analysis/text_capture.h"
#include "core/base/text.h"
#include "core/evaluate/time_in.h"
#include "core/replay/capture_rows.h"
#include "core/replay/replayer.h"

namespace qaq {
namespace {

constexpr std::int64_t kSparseTokens = 384;  // of the text, at most

constexpr std::size_t kQaqCache = 1;  // among these
std::vector<NamedSetting> sparse_caches() {
  QaqParams exact;
  exact.key.level = exact.value.level = Level::no_quantization;
  return {{"exact", exact},
          {"qaq e 1 bits 1-8", qaq_params({.n_bits_max = 8})},
          {"flat 3 bits", flat_params(3, 0.01)},
          {"flat 2 bits", flat_params(2, 0.01)}};
}

struct SparsePoint {
  std::size_t cache = 0;
  std::int64_t top_k = 0;  // T: all keys
  double output_error = 0, attention_error = 0;
  std::array<double, 2> half{};  // output_error of the first and of the last half of the rows
};

// Mean over layers, heads and rows [first, end).
double mean_of_rows(const NdArray<float, 3>& errors, std::int64_t first, std::int64_t end) {
  double sum = 0;
  for (std::int64_t layer = 0; layer < errors.shape(0); ++layer) {
    for (std::int64_t head = 0; head < errors.shape(1); ++head) {
      for (std::int64_t row = first; row < end; ++row) sum += errors(layer, head, row);
    }
  }
  return sum / static_cast<double>(errors.shape(0) * errors.shape(1) * (end - first));
}

std::vector<SparsePoint> run_sparse(const CaptureView& capture,
                                    const std::vector<NamedSetting>& caches, std::int64_t prefix,
                                    const Work& work) {
  Replayer replayer(capture);
  std::vector<SparsePoint> out;
  const std::int64_t n_tokens = capture.info().n_tokens, n_rows = capture.info().n_query_rows();
  const std::int64_t first = first_replayed_row(capture.info(), prefix),
                     middle = (first + n_rows) / 2;
  for (std::size_t cache = 0; cache < caches.size(); ++cache) {
    work.report({"experiment", static_cast<std::int64_t>(cache), std::ssize(caches), "caches"});
    for (std::int64_t k = 1;; k *= 2) {
      work.throw_if_stopped();
      const bool all = k >= n_tokens;
      QaqParams params = caches[cache].params;
      params.sparse_top_k = all ? 0 : k;
      const auto result = replayer.full({params, prefix}, Work(nullptr, work.stop_token()));
      SparsePoint point{cache, all ? n_tokens : k, result->mean_output_error.value(),
                        result->mean_attention_error.value()};
      point.half = {mean_of_rows(result->output_error, first, middle),
                    mean_of_rows(result->output_error, middle, n_rows)};
      out.push_back(point);
      if (all) break;
    }
  }
  return out;
}

// The k that leaves keys out and has the least error in the first half of the rows, and what it has
// in the last half over what all keys have there.
struct ChosenTopK {
  std::int64_t top_k = 0;
  double ratio = 0;
};
std::optional<ChosenTopK> chosen_top_k(const std::vector<SparsePoint>& points, std::size_t cache) {
  std::vector<SparsePoint> own;
  std::ranges::copy_if(points, std::back_inserter(own),
                       [&](const SparsePoint& p) { return p.cache == cache; });
  const double all = own.back().half[1];
  own.pop_back();
  const auto best =
      std::ranges::min_element(own, {}, [](const SparsePoint& p) { return p.half[0]; });
  if (best == own.end() || !(all > 0)) return std::nullopt;
  return ChosenTopK{best->top_k, best->half[1] / all};
}

std::vector<std::string> sparse_remarks(const std::vector<NamedSetting>& caches,
                                        const std::vector<SparsePoint>& points) {
  std::vector<std::string> out;
  for (std::size_t cache = kQaqCache; cache < caches.size(); ++cache) {
    const auto chosen = chosen_top_k(points, cache);
    if (!chosen) continue;
    const std::string figures =
        cat("on a cache of ", caches[cache].name, " the best k of the first half of the rows, ",
            chosen->top_k, ", has an error of outputs ", short_text(chosen->ratio),
            " times that with all keys in the last half");
    out.push_back(cache == kQaqCache
                      ? verdict_text(chosen->ratio < 1, figures + ", at the same packed bytes.")
                      : "Likewise " + figures + ".");
  }
  return out;
}

Chart sparse_chart(const std::vector<NamedSetting>& caches,
                   const std::vector<SparsePoint>& points) {
  ChartPanel output{.title = "Error of outputs",
                    .x = {.label = "keys that a query attends to", .scale = ChartScale::log},
                    .y = {.label = "mean squared error", .scale = ChartScale::log}};
  ChartPanel scores = output;
  scores.title = "Error of scores";
  for (std::size_t cache = 0; cache < caches.size(); ++cache) {
    ChartSeries series{.name = caches[cache].name,
                       .mark = ChartMark::line_points,
                       .style = static_cast<int>(cache),
                       .source = {.table = "", .x = "top_k", .y = "output_error"}};
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].cache == cache) series.source.rows.push_back(static_cast<std::int64_t>(i));
    }
    output.series.push_back(series);
    series.source.y = "attention_error";
    scores.series.push_back(std::move(series));
  }
  Chart out{.panels = {std::move(output), std::move(scores)}};
  out.notes = {"The last point of each line attends to all keys."};
  return out;
}

}  // namespace

ExperimentResult run_ext_sparse_top_k(const ExperimentContext& context) {
  ExperimentResult out;
  out.items = "tokens";
  out.n_available = std::ssize(context.text);
  const auto ids = beginning_of(context, 8, kSparseTokens);
  out.n = std::ssize(ids);
  const std::int64_t prefix = (2 * out.n + 2) / 3;
  const std::vector<NamedSetting> caches = sparse_caches();
  std::vector<SparsePoint> points;
  {
    const TimeIn time(out.seconds);
    const auto engine = context.open(out.n);
    points = run_sparse(capture_of(*engine, ids, context), caches, prefix, context.work);
  }
  std::vector<std::vector<Cell>> rows;
  for (const SparsePoint& p : points) {
    rows.push_back(
        {caches[p.cache].name, p.top_k, real_cell(p.output_error), real_cell(p.attention_error)});
  }
  out.tables.push_back(
      {"", "Errors by keys that a query attends to",
       table_of({{.name = "cache", .kind = ColumnKind::text},
                 {.name = "top_k"},
                 {.name = "output_error", .kind = ColumnKind::real, .unit = "1"},
                 {.name = "attention_error", .kind = ColumnKind::real, .unit = "1"}},
                std::move(rows))});
  out.chart = sparse_chart(caches, points);
  out.settings.push_back(cat("the first ", prefix, " tokens quantized, rows ", prefix, " to ",
                             out.n - 1,
                             " of all layers and query heads judged: scores and outputs of the k "
                             "largest logits against the exact ones of all keys"));
  out.settings.push_back(
      "level head, 1 % outliers; exact: nothing quantized, so that its error is "
      "what the keys left out amount to");
  out.remarks = sparse_remarks(caches, points);
  return out;
}

}  // namespace qaq
