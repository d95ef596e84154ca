#include "core/evaluate/summary.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>
#include <vector>

namespace qaq {
namespace {

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

}  // namespace qaq
