#include "core/evaluate/summary.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;
using Items = std::span<const ItemResult>;

// The mean of numbers in CacheFigures over items: errors plainly, all else by prefix length.
CacheFigures mean_figures(Items items, std::size_t setting) {
  CacheFigures sums;
  double n_tokens = 0;
  for (const ItemResult& item : items) {
    const auto length = static_cast<double>(item.n_prefix);
    n_tokens += length;
    std::vector<double> values;
    CacheFigures::visit(item.settings[setting].cache,
                        [&](const char*, double value) { values.push_back(value); });
    auto next = values.begin();
    CacheFigures::visit(sums, [&](const char* name, double& sum) {
      const bool error = std::string_view(name).ends_with("_error");
      sum += *next++ * (error ? 1.0 : length);
    });
  }
  CacheFigures::visit(sums, [&](const char* name, double& sum) {
    const bool error = std::string_view(name).ends_with("_error");
    sum /= error ? static_cast<double>(items.size()) : n_tokens;
  });
  return sums;
}

Divergences divergences_of(Items items, std::size_t setting) {
  Divergences out;
  std::vector<double> kl, margin;
  for (const ItemResult& item : items) {
    const SettingResult& s = item.settings[setting];
    kl.insert(kl.end(), s.kl.begin(), s.kl.end());
    margin.insert(margin.end(), item.margin.begin(), item.margin.end());
    for (std::size_t i = 0; i < s.same_top.size(); ++i) {
      if (s.same_top[i]) continue;
      ++out.n_flips;
      if (item.margin[i] < kCloseMargin) ++out.n_close_flips;
    }
  }
  if (kl.empty()) return out;
  out.n_positions = std::ssize(kl);
  const auto n = static_cast<double>(kl.size());
  for (const double each : kl) out.kl_mean += each / n;
  std::ranges::sort(kl);
  std::ranges::sort(margin);
  out.kl_median = quantile(kl, 0.5);
  out.kl_p99 = quantile(kl, 0.99);
  out.kl_max = kl.back();
  out.same_top = 1 - static_cast<double>(out.n_flips) / n;
  out.margin_median = quantile(margin, 0.5);
  return out;
}

using ScoresOf = std::function<const ChoiceScores&(const ItemResult&)>;

ScoresOf scores_of(std::optional<std::size_t> setting) {
  return [setting](const ItemResult& item) -> const ChoiceScores& {
    return setting ? item.settings[*setting].choices : item.choices;
  };
}

std::optional<Accuracy> accuracy_of(Items items, std::optional<std::size_t> setting) {
  const ScoresOf scores = scores_of(setting);
  Accuracy out;
  for (const ItemResult& item : items) {
    if (item.answer < 0) continue;
    ++out.n;
    if (scores(item).best() == item.answer) ++out.n_right;
    out.answer_log_probability +=
        scores(item).log_probability[static_cast<std::size_t>(item.answer)];
  }
  if (out.n == 0) return std::nullopt;
  out.accuracy = static_cast<double>(out.n_right) / static_cast<double>(out.n);
  out.confidence = normal_half_interval(out.accuracy, out.n);
  out.wilson = wilson_interval(out.n_right, out.n);
  out.answer_log_probability /= static_cast<double>(out.n);
  return out;
}

std::optional<Perplexity> perplexity_of(Items items, std::size_t setting) {
  Perplexity out;
  double reference = 0, quantized = 0;
  for (const ItemResult& item : items) {
    if (item.answer >= 0) return std::nullopt;
    for (std::size_t i = 0; i < item.nll.size(); ++i) {
      if (std::isnan(item.nll[i])) continue;
      ++out.n;
      reference += item.nll[i];
      quantized += item.settings[setting].nll[i];
    }
  }
  if (out.n == 0) return std::nullopt;
  out.reference = std::exp(reference / static_cast<double>(out.n));
  out.quantized = std::exp(quantized / static_cast<double>(out.n));
  return out;
}

Json quantizer_json(const QaqSideParams& side, CacheSide which) {
  const auto name = [](auto value) {
    return ChoiceNames<decltype(value)>::names[static_cast<std::size_t>(value)];
  };
  Json out{{"key_or_value_cache", which == CacheSide::key ? "key" : "value"},
           {"level", name(side.level)}};
  if (side.level == Level::no_quantization) return out;
  out["symmetric"] = side.symmetric;
  out["method_name"] = name(side.method);
  out["outliers_ratio"] = side.outliers_ratio;
  out["use_attentions"] = side.use_attentions;
  if (!side.use_attentions) {
    out["n_bits_uniform"] = side.n_bits_uniform;
    return out;
  }
  out["n_bits_min"] = side.n_bits_min;
  out["n_bits_max"] = side.n_bits_max;
  out["last_n_attentions"] = side.last_n_attentions;
  out["target_quantization_error"] = side.target_quantization_error;
  if (which == CacheSide::key) out["q_norm"] = side.q_norm;
  return out;
}

// The authors' metrics, in their order.
Json authors_metrics(const SettingSummary& s) {
  const CacheFigures& c = s.cache;
  const auto of_accuracy = [&](double Accuracy::*field) {
    return s.accuracy ? Json((*s.accuracy).*field) : Json(nullptr);
  };
  return {{"accuracy", of_accuracy(&Accuracy::accuracy)},
          {"accuracy_confidence", of_accuracy(&Accuracy::confidence)},
          {"answer_log_probability", of_accuracy(&Accuracy::answer_log_probability)},
          {"quantization_error", (c.key_quantization_error + c.value_quantization_error) / 2},
          {"key_quantization_error", c.key_quantization_error},
          {"value_quantization_error", c.value_quantization_error},
          {"attention_error", s.attention_error},
          {"logit_error", s.logit_error},
          {"average_n_bits", (c.key_average_n_bits + c.value_average_n_bits) / 2},
          {"key_average_n_bits", c.key_average_n_bits},
          {"value_average_n_bits", c.value_average_n_bits},
          {"average_size", (c.key_average_size + c.value_average_size) / 2},
          {"key_average_size", c.key_average_size},
          {"value_average_size", c.value_average_size}};
}

}  // namespace

SettingSummary summarize(Items items, std::size_t setting) {
  SettingSummary out;
  out.cache = mean_figures(items, setting);
  for (const ItemResult& item : items) {
    const SettingResult& s = item.settings[setting];
    out.attention_error += s.attention_error / static_cast<double>(items.size());
    out.logit_error += s.logit_error / static_cast<double>(items.size());
    out.max_abs_logit_change = std::max(out.max_abs_logit_change, s.max_abs_logit_change);
    out.seconds += s.seconds;
  }
  out.divergences = divergences_of(items, setting);
  out.accuracy = accuracy_of(items, setting);
  out.perplexity = perplexity_of(items, setting);
  return out;
}

std::optional<Accuracy> reference_accuracy(Items items) { return accuracy_of(items, std::nullopt); }

RunSeconds reference_seconds(Items items) {
  RunSeconds out;
  for (const ItemResult& item : items) out += item.seconds;
  return out;
}

PairedTest paired_test(Items items, std::size_t first, std::optional<std::size_t> second) {
  const ScoresOf one = scores_of(first), other = scores_of(second);
  PairedTest out;
  for (const ItemResult& item : items) {
    if (item.answer < 0) continue;
    const bool a = one(item).best() == item.answer, b = other(item).best() == item.answer;
    ++(a ? (b ? out.both : out.only_first) : (b ? out.only_second : out.neither));
  }
  out.p = mcnemar_p(out.only_first, out.only_second);
  return out;
}

Cost cost_of(const RunSeconds& reference, const RunSeconds& setting) {
  return {reference.prefix + reference.tail, reference.prefix + setting.quantizing + setting.tail};
}

Json accuracy_json(const std::optional<Accuracy>& a) {
  if (!a) return nullptr;
  return {{"accuracy", a->accuracy},
          {"accuracy_confidence", a->confidence},
          {"wilson_95", {a->wilson.low, a->wilson.high}},
          {"n_right", a->n_right},
          {"n", a->n},
          {"answer_log_probability", a->answer_log_probability}};
}

Json paired_json(const PairedTest& test) {
  return {{"both", test.both},
          {"only_first", test.only_first},
          {"only_second", test.only_second},
          {"neither", test.neither},
          {"mcnemar_p", test.p}};
}

Json summary_json(const SettingSummary& s) {
  Json out = authors_metrics(s);
  const Divergences& d = s.divergences;
  out["accuracy_wilson_95"] =
      s.accuracy ? Json{s.accuracy->wilson.low, s.accuracy->wilson.high} : Json(nullptr);
  out["n_right"] = s.accuracy ? Json(s.accuracy->n_right) : Json(nullptr);
  out["n_positions"] = d.n_positions;
  out["kl_mean"] = d.kl_mean;
  out["kl_median"] = d.kl_median;
  out["kl_p99"] = d.kl_p99;
  out["kl_max"] = d.kl_max;
  out["same_top"] = d.same_top;
  out["flips"] = d.n_flips;
  out["close_flips"] = d.n_close_flips;
  out["margin_median"] = d.margin_median;
  out["max_abs_logit_change"] = s.max_abs_logit_change;
  if (s.perplexity) {
    out["perplexity"] = s.perplexity->quantized;
    out["perplexity_reference"] = s.perplexity->reference;
    out["perplexity_delta"] = s.perplexity->quantized - s.perplexity->reference;
    out["perplexity_ratio"] = s.perplexity->quantized / s.perplexity->reference;
    out["perplexity_positions"] = s.perplexity->n;
  }
  out["ratio_paper"] = s.ratio_paper();
  out["ratio_nominal"] = s.ratio_nominal();
  out["ratio_packed"] = s.ratio_packed();
  return out;
}

Json authors_entry(const AuthorsParams& params, const SettingSummary& summary) {
  return {{"params",
           {{"version", params.version},
            {"model_name", params.model_name},
            {"dataset_name", params.dataset_name},
            {"question_count", params.question_count},
            {"key_quantizer", quantizer_json(params.params.key, CacheSide::key)},
            {"value_quantizer", quantizer_json(params.params.value, CacheSide::value)}}},
          {"results", authors_metrics(summary)}};
}

}  // namespace qaq
