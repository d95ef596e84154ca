#include "core/analysis/capture_experiments.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/analysis/bound_charts.h"
#include "core/analysis/capture_charts.h"
#include "core/analysis/histogram.h"
#include "core/analysis/row_table.h"
#include "core/analysis/text_capture.h"
#include "core/analysis/violations.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/evaluate/time_in.h"
#include "core/replay/bound_check.h"
#include "core/replay/cache_replay.h"

namespace qaq {
namespace {

Column text(std::string name) { return {.name = std::move(name), .kind = ColumnKind::text}; }
const Column kCache{.name = "cache", .kind = ColumnKind::choice, .choices = {"key", "value"}};

// --- Figure 2b

constexpr std::int64_t kMostShown = 128;  // tokens; the paper shows about 51
constexpr int kWindow = 5;                // rows that a jump is measured against

void check_place(const ExperimentContext& context, const ModelShape& shape) {
  if (context.layer >= shape.n_layers) {
    refuse_usage({.place = "--layer",
                  .what = cat("the model has no layer ", context.layer),
                  .cure = cat("give 0 to ", shape.n_layers - 1)});
  }
  if (context.head >= shape.n_heads) {
    refuse_usage({.place = "--head",
                  .what = cat("the model has no query head ", context.head),
                  .cure = cat("give 0 to ", shape.n_heads - 1)});
  }
}

// Rows of queries, columns of keys; empty above the diagonal.
Table matrix(NdView<const float, 2> scores) {
  std::vector<Column> columns{{.name = "query"}};
  std::vector<std::vector<Cell>> rows;
  for (std::int64_t s = 0; s < scores.shape(0); ++s) {
    columns.push_back(real_column(cat("key", s)));
    std::vector<Cell> row{s};
    for (std::int64_t t = 0; t <= s; ++t) row.emplace_back(scores(s, t));
    row.resize(static_cast<std::size_t>(scores.shape(1)) + 1);
    rows.push_back(std::move(row));
  }
  return table_of(std::move(columns), std::move(rows));
}

Table violation_rows(const std::vector<Violation>& violations) {
  std::vector<std::vector<Cell>> rows;
  for (const Violation& v : violations) {
    rows.push_back({std::int64_t{v.step}, std::int64_t{v.token}, v.score, v.window_max,
                    real_cell(static_cast<double>(v.score) / v.window_max)});
  }
  return table_of({{.name = "query"},
                   {.name = "key"},
                   real_column("score"),
                   real_column("window_max"),
                   real_column("jump")},
                  std::move(rows));
}

// --- Figure 2c

// The authors' bins.
constexpr std::int64_t kBins = 1000;
constexpr double kEdge = 5;
constexpr double kTail = 2;  // where the paper magnifies

UnitHistograms empty_histograms() {
  return {.raw = {kBins, kEdge, kTail}, .scaled = {kBins, kEdge, kTail}};
}

double share_outside(const Histogram& h) {
  return static_cast<double>(h.n_below() + h.n_above()) / static_cast<double>(h.n());
}

// --- Section 4.4

constexpr std::int64_t kBoundTokens = 95;  // of which two thirds are quantized
constexpr std::array kErrors{0.003, 0.01, 0.03, 0.1};
constexpr double kShownError = 0.01;  // whose rows are counted by their error

struct BoundCase {
  const char* name;
  Variant variant;
  RangeChoice rule;
  BoundTarget target = BoundTarget::row;
  bool see_future = false;
};
constexpr std::array kKeyCases{
    BoundCase{"reference bits mean_centred", Variant::reference, RangeChoice::mean_centred},
    BoundCase{"reference bits midpoint", Variant::reference, RangeChoice::midpoint},
    BoundCase{"paper bits midpoint", Variant::paper, RangeChoice::midpoint},
    BoundCase{"paper bits mean_centred", Variant::paper, RangeChoice::mean_centred},
    BoundCase{"bound row midpoint", Variant::bound, RangeChoice::midpoint},
    BoundCase{"bound row midpoint; scores of the future", Variant::bound, RangeChoice::midpoint,
              BoundTarget::row, true},
    BoundCase{"bound entry midpoint", Variant::bound, RangeChoice::midpoint, BoundTarget::entry}};
constexpr std::array kValueCases{
    BoundCase{"reference bits mean_centred", Variant::reference, RangeChoice::mean_centred},
    BoundCase{"paper bits midpoint", Variant::paper, RangeChoice::midpoint},
    BoundCase{"bound midpoint", Variant::bound, RangeChoice::midpoint},
    BoundCase{"bound midpoint; scores of the future", Variant::bound, RangeChoice::midpoint,
              BoundTarget::row, true}};

BoundCheckOptions options_of(const BoundCase& bound, CacheSide side, double e,
                             std::int64_t prefix) {
  BoundCheckOptions out;
  out.replay.prefix = prefix;
  out.see_future = bound.see_future;
  QaqParams& params = out.replay.params;
  QaqSideParams& quantized = side == CacheSide::key ? params.key : params.value;
  (side == CacheSide::key ? params.value : params.key).level = Level::no_quantization;
  quantized.variant = bound.variant;
  quantized.range_rule = bound.rule;
  quantized.bound_target = bound.target;
  quantized.target_quantization_error = e;
  quantized.outliers_ratio = 0;
  quantized.n_bits_min = 0;
  quantized.n_bits_max = 16;
  quantized.q_norm = RealOrAuto::automatic();
  return out;
}

const PromiseReport& kept_promise(CacheSide side, const BoundCheck& check) {
  const Promise kept = side == CacheSide::key ? Promise::scores : Promise::value_outputs;
  return *std::ranges::find(check.promises, kept, &PromiseReport::promise);
}

// A row each bin.
void append_ratios(const BoundCase& bound, CacheSide side, const BoundCheck& check,
                   std::vector<std::vector<Cell>>& rows) {
  const RatioCounts& ratios = kept_promise(side, check).ratios;
  for (std::size_t bin = 0; bin < RatioCounts::kBins; ++bin) {
    rows.push_back({std::int64_t{side == CacheSide::value}, std::string(bound.name),
                    real_cell(RatioCounts::centre(bin)), ratios.count[bin]});
  }
}

std::vector<Cell> bound_row(const BoundCase& bound, CacheSide side, double e,
                            const BoundCheck& check) {
  const PromiseReport& report = kept_promise(side, check);
  const Achieved& all = report.all.replayed;
  return {std::int64_t{side == CacheSide::value},
          std::string(bound.name),
          real_cell(e),
          real_cell(side == CacheSide::key ? check.key_mean_bits : check.value_mean_bits),
          real_cell(all.row_rms),
          real_cell(all.row_rms / e),
          real_cell(static_cast<double>(all.n_over) / static_cast<double>(all.n_rows)),
          real_cell(all.entry_rms / e),
          all.n_rows,
          report.all.n_over_unbroken};
}

}  // namespace

ExperimentResult run_fig2b(const ExperimentContext& context) {
  ExperimentResult out;
  out.items = "tokens";
  out.n_available = std::ssize(context.text);
  const auto ids = beginning_of(context, kWindow + 2, std::min(kMostShown, context.n_first));
  out.n = std::ssize(ids);
  ViolationReport one, all;
  Table scores_table;
  {
    const TimeIn time(out.seconds);
    const auto engine = context.open(out.n);
    check_place(context, engine->spec().shape);
    const MemoryCapture capture = capture_of(*engine, ids, context);
    const auto scores = capture.attention(context.layer, 0, out.n);
    const NdView<const float, 2> head = scores->sub(context.head);
    one.window = kWindow;
    find_violations(head, 0, context.layer, context.head, {}, one);
    all = find_violations(capture, {}, kWindow, context.work);
    scores_table = matrix(head);
  }
  out.tables.push_back({"", "Scores of the head, queries by keys", std::move(scores_table), false});
  out.tables.push_back({"violations", "Violations of the head", violation_rows(one.violations)});
  out.chart = fig2b_chart(cat("layer ", context.layer, ", query head ", context.head));
  out.settings.push_back(cat("layer ", context.layer, ", query head ", context.head,
                             ", counted from 0, as the authors' code does"));
  const ViolationParams params;
  out.settings.push_back(cat("a violation: a score above ", number_text(params.violation_ratio),
                             " times the largest of the key's ", kWindow,
                             " scores before, and above ", number_text(params.violation_floor),
                             " times a fair share 1/(s+1)"));
  out.remarks.push_back(cat(one.violations.size(), " of ", one.n_eligible,
                            " pairs of query and key violate persistence in this head, ",
                            short_text(100 * one.rate()), " %; in all layers and heads ",
                            all.violations.size(), " of ", all.n_eligible, ", ",
                            short_text(100 * all.rate()), " %."));
  return out;
}

ExperimentResult run_fig2c(const ExperimentContext& context) {
  ExperimentResult out;
  out.items = "questions";
  out.n_available = std::ssize(context.questions);
  std::array<UnitHistograms, 2> caches{empty_histograms(), empty_histograms()};
  {
    const TimeIn time(out.seconds);
    std::int64_t longest = 0;
    for (const ChoiceQuestion& question : context.questions) {
      longest = std::max(longest, std::ssize(question.question));
    }
    const auto engine = context.open(longest);
    double tokens = 0, seconds = 0;
    for (std::int64_t n = out.n_available; out.n < n; ++out.n) {
      context.work.throw_if_stopped();
      const auto& ids = context.questions[static_cast<std::size_t>(out.n)].question;
      {
        const TimeIn question_time(seconds);
        const MemoryCapture capture = capture_of(*engine, ids, context);
        for (std::int64_t layer = 0; layer < capture.info().n_captured_layers(); ++layer) {
          for (std::int64_t head = 0; head < capture.info().shape.n_kv_heads; ++head) {
            caches[0].add(capture.key(layer)->sub(head));
            caches[1].add(capture.value(layer)->sub(head));
          }
        }
      }
      tokens += static_cast<double>(ids.size());
      if (out.n == 0) {
        // The first question tells how many the time allows.
        double sum = tokens;
        std::int64_t fit = 1;
        for (; fit < n; ++fit) {
          sum +=
              static_cast<double>(context.questions[static_cast<std::size_t>(fit)].question.size());
          if (sum / tokens * seconds > 0.9 * context.seconds) break;
        }
        n = fit;
      }
      context.work.report({"experiment", out.n + 1, n, "questions"});
    }
  }
  std::vector<std::vector<Cell>> bins, sums;
  for (std::size_t cache = 0; cache < 2; ++cache) {
    for (const bool scaled : {false, true}) {
      const Histogram& h = scaled ? caches[cache].scaled : caches[cache].raw;
      const std::int64_t panel = scaled, side = static_cast<std::int64_t>(cache);
      for (std::int64_t bin = 0; bin < kBins; ++bin) {
        bins.push_back({side, panel, real_cell(h.centre(bin)), h.count(bin)});
      }
      const auto peak = std::ranges::max_element(h.counts());
      sums.push_back({side, panel, h.n(), *peak, real_cell(h.centre(peak - h.counts().begin())),
                      h.n_below(), h.n_above(), real_cell(share_outside(h)),
                      real_cell(static_cast<double>(h.n_tail()) / static_cast<double>(h.n())),
                      real_cell(h.largest())});
    }
  }
  const Column panel{.name = "scale", .kind = ColumnKind::choice, .choices = {"raw", "z"}};
  out.tables.push_back(
      {"", "Bins",
       table_of({kCache, panel, real_column("centre"), {.name = "count"}}, std::move(bins)),
       false});
  out.tables.push_back({"sums", "Sums",
                        table_of({kCache,
                                  panel,
                                  {.name = "n_values"},
                                  {.name = "peak_count"},
                                  real_column("peak_centre"),
                                  {.name = "n_below"},
                                  {.name = "n_above"},
                                  real_column("share_outside"),
                                  real_column("share_tail"),
                                  real_column("largest_magnitude")},
                                 std::move(sums))});
  out.chart = fig2c_chart(out.tables[0].table, kTail, kEdge);
  out.settings.push_back(cat("the questions' tokens alone, all layers and KV heads; ", kBins,
                             " bins from -5 to 5, what lies outside is counted; tail: magnitude "
                             "above 2"));
  out.settings.push_back(
      "z: less the unit's mean, over its standard deviation; a unit is one "
      "token's row of one layer and KV head");
  const auto share = [](const Histogram& h) { return 100 * share_outside(h); };
  out.remarks.push_back(
      cat("The authors' script bins raw values and drops what is outside -5 to 5: here ",
          short_text(share(caches[0].raw)), " % of keys and ", short_text(share(caches[1].raw)),
          " % of values. Their figure says normalized: in standard deviations of a unit ",
          short_text(share(caches[0].scaled)), " % and ", short_text(share(caches[1].scaled)),
          " % lie outside."));
  if (const std::int64_t n_flat = caches[0].n_flat + caches[1].n_flat; n_flat > 0) {
    out.remarks.push_back(cat(n_flat, " units have no spread and are not among the z values."));
  }
  return out;
}

ExperimentResult run_bound(const ExperimentContext& context) {
  ExperimentResult out;
  out.items = "tokens";
  out.n_available = std::ssize(context.text);
  const auto ids = beginning_of(context, 8, kBoundTokens);
  out.n = std::ssize(ids);
  const std::int64_t prefix = (2 * out.n + 2) / 3;
  std::vector<std::vector<Cell>> rows, ratios;
  {
    const TimeIn time(out.seconds);
    const auto engine = context.open(out.n);
    const MemoryCapture capture = capture_of(*engine, ids, context);
    const std::int64_t n_checks =
        std::ssize(kErrors) * std::ssize(kKeyCases) + std::ssize(kErrors) * std::ssize(kValueCases);
    const auto check = [&](const BoundCase& bound, CacheSide side, double e) {
      const auto found = check_bound(capture, options_of(bound, side, e, prefix),
                                     Work(nullptr, context.work.stop_token()));
      rows.push_back(bound_row(bound, side, e, *found));
      if (e == kShownError) append_ratios(bound, side, *found, ratios);
      context.work.report({"experiment", std::ssize(rows), n_checks, "checks"});
    };
    for (const double e : kErrors) {
      for (const BoundCase& bound : kKeyCases) check(bound, CacheSide::key, e);
    }
    for (const double e : kErrors) {
      for (const BoundCase& bound : kValueCases) check(bound, CacheSide::value, e);
    }
  }
  out.tables.push_back({"", "Promises held against what was achieved",
                        table_of({kCache,
                                  text("rule"),
                                  real_column("e"),
                                  real_column("mean_bits", "bit"),
                                  real_column("row_rms"),
                                  real_column("row_rms_over_e"),
                                  real_column("share_rows_over_e"),
                                  real_column("worst_entry_rms_over_e"),
                                  {.name = "n_rows"},
                                  {.name = "n_over_unbroken"}},
                                 std::move(rows))});
  const std::string shown = number_text(kShownError);
  out.tables.push_back({"ratios", cat("Rows by their error over e, at e = ", shown),
                        table_of({kCache, text("rule"), real_column("ratio"), {.name = "n_rows"}},
                                 std::move(ratios)),
                        false});
  out.chart = bound_chart(out.tables[0].table, out.tables[1].table, shown);
  out.settings.push_back(cat("the first ", prefix, " tokens quantized, rows ", prefix, " to ",
                             out.n - 1,
                             " of all layers and query heads judged; level head, no "
                             "outliers, window 5, 0 to 16 bits, q_norm the 90th percentile"));
  out.settings.push_back(
      "keys: ||S' - S|| of a row of scores; values: RMS of X' - X over channels; the other cache "
      "exact; n_over_unbroken: rows above e that break none of the conditions of the promise");
  out.remarks.push_back(
      "A promise is kept where row_rms_over_e is at most 1. The reference and paper rules are "
      "taken at their word: e is what they call the error.");
  out.remarks.push_back(
      "Target entry promises each score and not the row: see worst_entry_rms_over_e. Target row "
      "rests on persistence: what it misses beside \"scores of the future\" are tokens that became "
      "important later than the window saw.");
  return out;
}

}  // namespace qaq
