#include "core/analysis/comparison.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/analysis/paired_errors.h"
#include "core/analysis/row_table.h"
#include "core/analysis/scope_params.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/replay.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

void add_sentence(std::string& text, const std::string& sentence) {
  if (!text.empty()) text += "; ";
  text += sentence;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Samples of both, in pairs, as a metric.
MetricDelta sampled(MetricDelta metric, std::span<const double> a, std::span<const double> b) {
  metric.a = mean(a);
  metric.b = mean(b);
  std::vector<double> differences(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) differences[i] = b[i] - a[i];
  metric.interval = bootstrap_mean_interval(differences);
  metric.n = std::ssize(a);
  return metric;
}

// What a metric is before its numbers are known.
MetricDelta metric(std::string name, std::string title, std::string unit,
                   bool less_is_better = true) {
  return {.name = std::move(name),
          .title = std::move(title),
          .unit = std::move(unit),
          .less_is_better = less_is_better};
}

class Comparing {
 public:
  Comparing(const ComparedRun& a, const ComparedRun& b, const Work& work)
      : run_a_(a), run_b_(b), a_(a.capture->info()), b_(b.capture->info()), work_(work) {
    out_.alignment = align(a_, b_);
    if (!out_.alignment.allowed()) {
      refuse_input({.file = cat(a.name, ", ", b.name),
                    .what = out_.alignment.refusal,
                    .cure = "compare runs of one model on one prompt"});
    }
    out_.remark = out_.alignment.remark;
    layers_ = layer_pairs(out_.alignment, a_, b_);
    rows_ = row_pairs(out_.alignment, a_, b_);
    if (!a.replay && !b.replay) return;
    replay_a_ = replay_of(a, b);
    replay_b_ = replay_of(b, a);
    out_.prefix = std::min({replay_a_->prefix, replay_b_->prefix, out_.alignment.n_tokens});
  }

  Comparison made() {
    if (replay_a_) {
      compare_settings();
      if (replay_a_->prefix != replay_b_->prefix) {
        add_sentence(out_.remark,
                     cat("A quantizes ", replay_a_->prefix, " tokens and B ", replay_b_->prefix,
                         ": bits and errors of tokens are of the first ", out_.prefix));
      }
      compare_scores();
      compare_rows();
      compare_cells();
      compare_sizes();
    }
    return std::move(out_);
  }

 private:
  // The whole cache is a replay that quantizes nothing of the tokens that the other quantizes.
  SharedReplay replay_of(const ComparedRun& run, const ComparedRun& other) const {
    if (run.replay) return run.replay;
    ReplayOptions options;
    options.params = exact_params().qaq;
    options.prefix = std::min(other.replay->prefix, run.capture->info().n_tokens);
    return replay(*run.capture, options, Work(nullptr, work_.stop_token()));
  }

  // QAQ has too many to list those that another policy lacks and nobody set.
  void compare_settings() {
    const bool is_one = replay_a_->policy == replay_b_->policy;
    if (!is_one) out_.settings.push_back({"policy", replay_a_->policy, replay_b_->policy});
    const auto plain = list_parameters(QaqParams{});
    const auto is_told = [&](const std::string& name, const std::string& value) {
      const auto known = std::ranges::find(plain, name, &Parameter::name);
      return is_one || known == plain.end() || value_text(known->value) != value;
    };
    const auto texts = [](const ReplayResult& replay) {
      std::vector<std::pair<std::string, std::string>> out;
      for (const Parameter& p : replay.parameters) out.emplace_back(p.name, value_text(p.value));
      out.emplace_back("prefix", cat(replay.prefix));
      return out;
    };
    const auto a = texts(*replay_a_), b = texts(*replay_b_);
    const auto value_in = [](const auto& list, const std::string& name) {
      const auto at = std::ranges::find(list, name, [](const auto& entry) { return entry.first; });
      return at == list.end() ? std::string() : at->second;
    };
    for (const auto& [name, value] : a) {
      const std::string other = value_in(b, name);
      if (other == value || (other.empty() && !is_told(name, value))) continue;
      out_.settings.push_back({name, value, other});
    }
    for (const auto& [name, value] : b) {
      if (value_in(a, name).empty() && is_told(name, value)) {
        out_.settings.push_back({name, "", value});
      }
    }
  }

  // Positions of scores begin with the prefix of their run.
  void compare_scores() {
    if (run_a_.scores.empty() || run_b_.scores.empty()) return;
    const std::int64_t first = std::max(replay_a_->prefix, replay_b_->prefix);
    const auto from = [&](const ComparedRun& run, const SharedReplay& replay) {
      const std::int64_t skip = first - replay->prefix;
      return std::span(run.scores)
          .subspan(static_cast<std::size_t>(std::min(skip, std::ssize(run.scores))));
    };
    const auto a = from(run_a_, replay_a_), b = from(run_b_, replay_b_);
    const std::size_t n = std::min(a.size(), b.size());
    const auto add = [&](MetricDelta what, const std::function<double(const PositionScore&)>& of) {
      std::vector<double> x, y;
      for (std::size_t i = 0; i < n; ++i) {
        const double p = of(a[i]), q = of(b[i]);
        if (!std::isfinite(p) || !std::isfinite(q)) continue;
        x.push_back(p);
        y.push_back(q);
      }
      if (!x.empty()) out_.metrics.push_back(sampled(std::move(what), x, y));
    };
    add(metric("kl_mean", "mean KL", "nat"), [](const PositionScore& s) { return s.kl; });
    add(metric("same_top", "same top token", "%", false),
        [](const PositionScore& s) { return s.same_top ? 1.0 : 0.0; });
    add(metric("nll", "next-token NLL", "nat"), [](const PositionScore& s) { return s.nll; });
  }

  // Means over layers and heads of the rows that both replayed, a number a step.
  void compare_rows() {
    const auto add = [&](MetricDelta what, const NdArray<float, 3>& a, const NdArray<float, 3>& b) {
      const PairedErrors errors = errors_by_step(a, b, layers_, rows_);
      if (errors.at.empty()) return;
      out_.metrics.push_back(sampled(std::move(what), errors.a, errors.b));
    };
    const ReplayResult &a = *replay_a_, &b = *replay_b_;
    add(metric("output_error", "output error", "1"), a.output_error, b.output_error);
    // Of all keys of a row, where the authors' attention_error is a mean over the prefix's.
    add(metric("row_attention_error", "attention error of a row", "1"), a.attention_error,
        b.attention_error);
  }

  static bool is_evicted(std::uint8_t bits) { return bits == CacheReplay::kEvicted; }
  static bool is_evicted(float error) { return std::isnan(error); }

  // Mean over the cells of what both quantized that are left.
  template <class T>
  double cell_mean(const NdArray<T, 3>& cells, std::int64_t LayerPair::*index) const {
    double sum = 0;
    std::int64_t n = 0;
    for (const LayerPair& layer : layers_) {
      for (std::int64_t head = 0; head < a_.shape.n_kv_heads; ++head) {
        for (std::int64_t t = 0; t < out_.prefix; ++t) {
          const T cell = cells(layer.*index, head, t);
          if (is_evicted(cell)) continue;
          sum += cell;
          ++n;
        }
      }
    }
    return sum / static_cast<double>(n);
  }

  void compare_cells() {
    const auto add = [&](MetricDelta what, double a, double b) {
      what.a = a;
      what.b = b;
      out_.metrics.push_back(std::move(what));
    };
    for (const bool key : {true, false}) {
      const CacheReplay& a = key ? replay_a_->key : replay_a_->value;
      const CacheReplay& b = key ? replay_b_->key : replay_b_->value;
      const std::string name = key ? "key" : "value", title = key ? "K" : "V";
      add(metric(cat(name, "_quantization_error"), cat(title, " error (MSE)"), "1"),
          cell_mean(a.error, &LayerPair::in_a), cell_mean(b.error, &LayerPair::in_b));
      add(metric(cat(name, "_mean_bits"), cat("mean bits, ", title), "bit"),
          cell_mean(a.bits, &LayerPair::in_a), cell_mean(b.bits, &LayerPair::in_b));
    }
  }

  // Of all that each run quantized: packed bytes are no sum over cells.
  void compare_sizes() {
    const auto add = [&](MetricDelta what, double a, double b) {
      what.a = a;
      what.b = b;
      out_.metrics.push_back(std::move(what));
    };
    const ReplayResult &a = *replay_a_, &b = *replay_b_;
    if (a.prefix != b.prefix || a_.layers != b_.layers) {
      add_sentence(out_.remark, "sizes are of all that each run quantized");
    }
    const auto bytes = [](const ReplayResult& r) {
      return static_cast<double>(r.key.packed.total() + r.value.packed.total());
    };
    add(metric("key_average_n_bits", "average bits, K (nominal)", "bit"), a.key.average_n_bits,
        b.key.average_n_bits);
    add(metric("value_average_n_bits", "average bits, V (nominal)", "bit"), a.value.average_n_bits,
        b.value.average_n_bits);
    add(metric("packed_bytes", "packed bytes", "byte"), bytes(a), bytes(b));
    add(metric("ratio_nominal", "compression, nominal", "1", false), a.ratio_nominal,
        b.ratio_nominal);
    add(metric("ratio_packed", "compression, packed", "1", false), a.ratio_packed, b.ratio_packed);
  }

  const ComparedRun &run_a_, &run_b_;
  const CaptureInfo &a_, &b_;
  const Work& work_;
  std::vector<LayerPair> layers_;
  std::vector<RowPair> rows_;
  SharedReplay replay_a_, replay_b_;  // null where both are whole
  Comparison out_;
};

Json metric_json(const MetricDelta& m) {
  Json out{{"title", m.title},
           {"unit", m.unit},
           {"less_is_better", m.less_is_better},
           {"a", m.a},
           {"b", m.b},
           {"absolute", m.absolute()},
           {"relative", m.relative() ? Json(*m.relative()) : Json()},
           {"interval", nullptr},
           {"n", m.n},
           {"in_noise", m.in_noise()},
           {"word", ChoiceNames<DeltaWord>::names[static_cast<std::size_t>(m.word())]}};
  if (m.interval) out["interval"] = {m.interval->low, m.interval->high};
  return out;
}

}  // namespace

std::optional<double> MetricDelta::relative() const {
  if (a == 0) return {};
  return (b - a) / std::abs(a);
}

bool MetricDelta::in_noise() const { return interval && interval->low <= 0 && interval->high >= 0; }

DeltaWord MetricDelta::word() const {
  if (a == b || in_noise()) return DeltaWord::same;
  return (b < a) == less_is_better ? DeltaWord::better : DeltaWord::worse;
}

Comparison compare(const ComparedRun& a, const ComparedRun& b, const Work& work) {
  return Comparing(a, b, work).made();
}

Table delta_table(const Comparison& comparison) {
  std::vector<std::vector<Cell>> rows;
  for (const MetricDelta& m : comparison.metrics) {
    const bool sampled = m.interval.has_value();
    rows.push_back({m.name, m.unit, real_cell(m.a), real_cell(m.b), real_cell(m.absolute()),
                    m.relative() ? real_cell(*m.relative()) : Cell{},
                    sampled ? real_cell(m.interval->low) : Cell{},
                    sampled ? real_cell(m.interval->high) : Cell{}, sampled ? Cell(m.n) : Cell{},
                    static_cast<std::int64_t>(m.word())});
  }
  std::vector<std::string> words(ChoiceNames<DeltaWord>::names.begin(),
                                 ChoiceNames<DeltaWord>::names.end());
  return table_of({{"metric", ColumnKind::text},
                   {"unit", ColumnKind::text},
                   {"a", ColumnKind::real},
                   {"b", ColumnKind::real},
                   {"absolute", ColumnKind::real},
                   {"relative", ColumnKind::real, "1"},
                   {"low", ColumnKind::real},
                   {"high", ColumnKind::real},
                   {"steps", ColumnKind::integer},
                   {"word", ColumnKind::choice, "", std::move(words)}},
                  std::move(rows));
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  const Alignment& alignment = comparison.alignment;
  Json settings = Json::array(), metrics = Json::object();
  for (const SettingDelta& s : comparison.settings) {
    settings.push_back({{"name", s.name}, {"a", s.a}, {"b", s.b}});
  }
  for (const MetricDelta& m : comparison.metrics) metrics[m.name] = metric_json(m);
  return {{"remark", comparison.remark},     {"n_tokens", alignment.n_tokens},
          {"layers", alignment.layers},      {"prefix", comparison.prefix},
          {"settings", std::move(settings)}, {"metrics", std::move(metrics)}};
}

}  // namespace qaq
