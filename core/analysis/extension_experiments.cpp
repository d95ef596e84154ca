#include "core/analysis/extension_experiments.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include "core/analysis/bits_deficit.h"
#include "core/analysis/cause.h"
#include "core/analysis/experiment_settings.h"
#include "core/analysis/extension_charts.h"
#include "core/analysis/pareto_front.h"
#include "core/analysis/row_table.h"
#include "core/analysis/text_capture.h"
#include "core/base/text.h"
#include "core/evaluate/time_in.h"
#include "core/policy/qaq_policy.h"
#include "core/replay/planner.h"
#include "core/replay/sweep.h"

namespace qaq {
namespace {

constexpr std::int64_t kTextTokens = 384, kLeastTextTokens = 24;
constexpr int kPlainWindow = 5;
// From hardly any error to values of hardly any bits; what keys get falls with e but slowly.
constexpr std::array kBudgets{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0};

// QAQ with something changed.
struct Extension {
  std::string name;
  std::function<void(QaqParams&)> change;
};

template <class Change>
Extension of_values(std::string name, const Change& change) {
  return {std::move(name), [change](QaqParams& params) { change(params.value); }};
}
template <class Change>
Extension of_both(std::string name, const Change& change) {
  return {std::move(name), [change](QaqParams& params) {
            change(params.key);
            change(params.value);
          }};
}

QaqParams extended(const Extension& extension, double e) {
  QaqParams params = qaq_params(
      {.e = e, .n_bits_min = 0, .n_bits_max = 8, .outliers_ratio = 0.01, .window = kPlainWindow});
  extension.change(params);
  return params;
}

// What became of one method's settings.
struct MeasuredExtension {
  std::vector<SharedReplay> results;  // by e
  std::vector<std::optional<double>>
      over_plain;  // its output error over plain QAQ's at equal bytes
  std::vector<std::optional<BitsDeficit>> deficits;  // of values, beside plain QAQ at the same e
};

class ExtensionRuns {
 public:
  ExtensionRuns(const ExperimentContext& context, std::vector<Extension> extensions)
      : context_(context), extensions_(std::move(extensions)) {
    extensions_.insert(extensions_.begin(), {"plain qaq", [](QaqParams&) {}});
  }

  ExperimentResult run() {
    ExperimentResult out;
    out.items = "tokens";
    out.n_available = std::ssize(context_.text);
    const auto ids = beginning_of(context_, kLeastTextTokens, kTextTokens);
    out.n = std::ssize(ids);
    prefix_ = (2 * out.n + 2) / 3;
    {
      const TimeIn time(out.seconds);
      const auto engine = context_.open(out.n);
      const MemoryCapture capture = capture_of(*engine, ids, context_);
      Sweeper sweeper(capture, {.prefix = prefix_, .n_rows = out.n - prefix_});
      Planner planner(capture);
      for (const Extension& extension : extensions_) {
        context_.work.report(
            {"experiment", std::ssize(measured_), std::ssize(extensions_), "methods"});
        measured_.push_back(measure(extension, sweeper, planner));
      }
    }
    compare();
    out.tables.push_back({"", "Errors over packed bytes", settings_table()});
    out.tables.push_back({"equal-bytes", "Beside plain QAQ at equal packed bytes", equal_table()});
    std::vector<std::string> names;
    for (const Extension& each : extensions_) names.push_back(each.name);
    out.chart = extension_chart(out.tables[0].table, names);
    out.settings.push_back(
        cat("the text's first ", out.n, " tokens, of which ", prefix_,
            " are quantized; errors are of the rows behind them; bits 0-8, window ", kPlainWindow,
            ", q_norm 300, level head, 1 % outliers, each at e ", number_text(kBudgets.front()),
            " to ", number_text(kBudgets.back())));
    out.settings.push_back(
        "over_plain: output_error over plain QAQ's at the same packed bytes, its settings mixed "
        "between neighbours; short_share: value units with fewer bits than plain QAQ's at the same "
        "e, deficit_bits: bits that they lack, over all units");
    remark(out);
    return out;
  }

 private:
  MeasuredExtension measure(const Extension& extension, Sweeper& sweeper, Planner& planner) {
    const Work silent(nullptr, context_.work.stop_token());
    std::vector<QaqParams> settings;
    for (const double e : kBudgets) settings.push_back(extended(extension, e));
    MeasuredExtension out{
        .results = sweeper.run(settings, silent), .over_plain = {}, .deficits = {}};
    for (std::size_t i = 0; i < kBudgets.size(); ++i) {
      const Plan wanted = value_plan(planner, extended(extensions_.front(), kBudgets[i])),
                 given = value_plan(planner, settings[i]);
      out.deficits.push_back(bits_deficit(wanted, given, prefix_ - (kPlainWindow - 1)));
    }
    return out;
  }

  Plan value_plan(Planner& planner, const QaqParams& params) const {
    const Work silent(nullptr, context_.work.stop_token());
    return planner.plan(QaqPolicy(params), CacheSide::value, prefix_, silent).plan;
  }

  // Plain QAQ first: it is what the others are held against.
  void compare() {
    std::vector<Tradeoff> plain;
    for (const SharedReplay& result : measured_.front().results) {
      plain.push_back({result->ratio_packed, *result->mean_output_error});
    }
    for (MeasuredExtension& each : measured_) {
      for (const SharedReplay& result : each.results) {
        const auto at_equal_bytes = loss_at(plain, result->ratio_packed);
        each.over_plain.push_back(at_equal_bytes
                                      ? std::optional(*result->mean_output_error / *at_equal_bytes)
                                      : std::nullopt);
      }
    }
  }

  Table settings_table() const {
    std::vector<std::vector<Cell>> rows;
    for (std::size_t m = 0; m < measured_.size(); ++m) {
      const MeasuredExtension& of = measured_[m];
      for (std::size_t i = 0; i < of.results.size(); ++i) {
        const ReplayResult& result = *of.results[i];
        const auto& deficit = of.deficits[i];
        rows.push_back({extensions_[m].name, real_cell(kBudgets[i]), real_cell(result.ratio_packed),
                        real_cell(*result.mean_output_error),
                        real_cell(*result.mean_attention_error), real_cell(result.key.mean_bits),
                        real_cell(result.value.mean_bits), real_cell(share_kept(result)),
                        of.over_plain[i] ? real_cell(*of.over_plain[i]) : Cell{},
                        deficit ? real_cell(deficit->share_short()) : Cell{},
                        deficit ? real_cell(deficit->mean_bits()) : Cell{}});
      }
    }
    return table_of(
        {text("method"), real_column("e"), real_column("ratio_packed"), real_column("output_error"),
         real_column("attention_error"), real_column("key_bits", "bit"),
         real_column("value_bits", "bit"), real_column("share_kept"), real_column("over_plain"),
         real_column("short_share"), real_column("deficit_bits", "bit")},
        std::move(rows));
  }

  Table equal_table() const {
    std::vector<std::vector<Cell>> rows;
    for (std::size_t m = 1; m < measured_.size(); ++m) {
      const auto factors = factors_of(measured_[m]);
      std::vector<Cell> row{extensions_[m].name, std::ssize(factors), n_better(factors)};
      if (!factors.empty()) {
        row.insert(row.end(), {real_cell(median_of(factors)), real_cell(std::ranges::min(factors)),
                               real_cell(std::ranges::max(factors))});
      }
      row.resize(6);
      rows.push_back(std::move(row));
    }
    return table_of({text("method"),
                     {.name = "n_compared"},
                     {.name = "n_better"},
                     real_column("over_plain_median"),
                     real_column("over_plain_least"),
                     real_column("over_plain_most")},
                    std::move(rows));
  }

  void remark(ExperimentResult& out) const {
    std::optional<std::size_t> best;
    for (std::size_t m = 1; m < measured_.size(); ++m) {
      const auto factors = factors_of(measured_[m]);
      if (factors.empty()) {
        out.remarks.push_back(
            cat(extensions_[m].name, ": no setting has the bytes of a plain one."));
        continue;
      }
      const double median = median_of(factors);
      out.remarks.push_back(cat(extensions_[m].name, ": at equal packed bytes ", short_text(median),
                                " times plain QAQ's output error (median of ", factors.size(),
                                " settings, ", short_text(std::ranges::min(factors)), " to ",
                                short_text(std::ranges::max(factors)), "), less in ",
                                n_better(factors), "."));
      if (!best || median < median_of(factors_of(measured_[*best]))) best = m;
    }
    if (!best) return;
    const double median = median_of(factors_of(measured_[*best]));
    out.remarks.push_back(median < 1
                              ? cat("So ", extensions_[*best].name,
                                    " helps here, on one text: the median error is ",
                                    short_text(100 * (1 - median)), " % less.")
                              : cat("So none helps here: the best, ", extensions_[*best].name,
                                    ", has no smaller median error than plain QAQ."));
  }

  static double share_kept(const ReplayResult& result) {
    return static_cast<double>(result.key.n_kept) / static_cast<double>(result.key.n_values);
  }
  static std::vector<double> factors_of(const MeasuredExtension& measured) {
    std::vector<double> out;
    for (const auto& factor : measured.over_plain) {
      if (factor) out.push_back(*factor);
    }
    return out;
  }
  static std::int64_t n_better(const std::vector<double>& factors) {
    return std::ranges::count_if(factors, [](double factor) { return factor < 1; });
  }
  static Column text(std::string name) {
    return {.name = std::move(name), .kind = ColumnKind::text};
  }

  const ExperimentContext& context_;
  std::vector<Extension> extensions_;
  std::int64_t prefix_ = 0;
  std::vector<MeasuredExtension> measured_;
};

}  // namespace

ExperimentResult run_ext_ema(const ExperimentContext& context) {
  const auto ema = [](double beta) {
    return [beta](QaqSideParams& side) {
      side.sensitivity = Sensitivity::ema;
      side.beta = beta;
    };
  };
  std::vector<Extension> all;
  for (const double beta : {0.5, 0.8, 0.95}) {
    all.push_back(of_values(cat("values by ema ", number_text(beta)), ema(beta)));
  }
  all.push_back({"keys by ema 0.8", [ema](QaqParams& params) { ema(0.8)(params.key); }});
  all.push_back(of_both("both by ema 0.8", ema(0.8)));
  // An average forces no token to n_bits_max; nor does this, without a memory.
  all.push_back(of_both("window 1", [](QaqSideParams& side) { side.last_n_attentions = 1; }));
  return ExtensionRuns(context, std::move(all)).run();
}

ExperimentResult run_ext_hybrid(const ExperimentContext& context) {
  std::vector<Extension> all;
  for (const double factor : {0.03, 0.1, 0.3}) {
    all.push_back({cat("evict_factor ", number_text(factor)),
                   [factor](QaqParams& params) { params.eviction.factor = factor; }});
  }
  return ExtensionRuns(context, std::move(all)).run();
}

ExperimentResult run_ext_approximate(const ExperimentContext& context) {
  std::vector<Extension> all{
      {"head_stride 2", [](QaqParams& params) { params.head_stride = 2; }},
      {"block_size 4", [](QaqParams& params) { params.block_size = 4; }},
      {"block_size 16", [](QaqParams& params) { params.block_size = 16; }},
      {"plan_stride 24", [](QaqParams& params) { params.plan_stride = 24; }}};
  ExperimentResult out = ExtensionRuns(context, std::move(all)).run();
  out.settings.push_back(
      "planning costs as many compares as attention rows have heads and tokens: plan_stride m and "
      "head_stride h do 1 / (m h) of them; a block's tokens share bits, but are packed as others "
      "are");
  return out;
}

ExperimentResult run_ext_adaptive(const ExperimentContext& context) {
  const auto adaptive = [](std::int64_t n_min, std::int64_t n_max) {
    return of_both(cat("window ", n_min, " to ", n_max), [=](QaqSideParams& side) {
      side.window_rule = WindowRule::adaptive;
      side.adaptive.n_min = n_min;
      side.adaptive.n_max = n_max;
    });
  };
  const auto fixed = [](int n) {
    return of_both(cat("window ", n), [n](QaqSideParams& side) { side.last_n_attentions = n; });
  };
  return ExtensionRuns(context, {adaptive(1, 16), adaptive(1, 5), fixed(1), fixed(16)}).run();
}

}  // namespace qaq
