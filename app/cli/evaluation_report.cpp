#include "app/cli/evaluation_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/printable.h"
#include "app/wiring/prompt.h"
#include "core/base/parameters.h"
#include "core/base/text.h"
#include "core/evaluate/summary_json.h"
#include "core/policy/policies.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.4g", value);
  return buffer;
}

Json seconds_json(const RunSeconds& s) {
  return {{"prefix", s.prefix},
          {"tail", s.tail},
          {"quantizing", s.quantizing},
          {"comparing", s.comparing}};
}

Json cost_json(const RunSeconds& reference, const RunSeconds& setting) {
  const Cost cost = cost_of(reference, setting);
  return {{"unquantized", cost.unquantized},
          {"quantized", cost.quantized},
          {"ratio", cost.ratio()},
          {"seconds", seconds_json(setting)}};
}

// What each position behind the prefix of one item gave.
Json positions_json(const ItemResult& item, std::size_t setting) {
  const SettingResult& s = item.settings[setting];
  Json same_top = Json::array();
  for (const std::uint8_t each : s.same_top) same_top.push_back(each != 0);
  return {{"kl", s.kl},
          {"same_top", std::move(same_top)},
          {"margin", item.margin},
          {"nll", s.nll},
          {"nll_reference", item.nll}};
}

void print_accuracy(const char* name, const Accuracy& a) {
  std::printf(
      "  %-12s %6.2f %%  +- %.2f (normal), %.2f to %.2f (Wilson), 95 %%; %lld of %lld right; "
      "ln p of the answer %.4f\n",
      name, 100 * a.accuracy, 100 * a.confidence, 100 * a.wilson.low, 100 * a.wilson.high,
      static_cast<long long>(a.n_right), static_cast<long long>(a.n), a.answer_log_probability);
}

void print_paired(const std::string& first, const std::string& second, const PairedTest& t) {
  std::printf(
      "  %s and %s on the same questions: both right %lld, only the first %lld, only the "
      "second %lld, neither %lld; exact McNemar p = %s\n",
      first.c_str(), second.c_str(), static_cast<long long>(t.both),
      static_cast<long long>(t.only_first), static_cast<long long>(t.only_second),
      static_cast<long long>(t.neither), text_of(t.p).c_str());
}

void print_divergences(const SettingSummary& s) {
  const Divergences& d = s.divergences;
  std::printf(
      "  KL to the whole cache, nat: mean %s, median %s, p99 %s, max %s over %lld positions\n",
      text_of(d.kl_mean).c_str(), text_of(d.kl_median).c_str(), text_of(d.kl_p99).c_str(),
      text_of(d.kl_max).c_str(), static_cast<long long>(d.n_positions));
  std::printf(
      "  same top token: %.2f %%; %lld flips, %lld of them under a reference margin of %g "
      "(median margin %s)\n",
      100 * d.same_top, static_cast<long long>(d.n_flips), static_cast<long long>(d.n_close_flips),
      kCloseMargin, text_of(d.margin_median).c_str());
}

void print_cache(const SettingSummary& s) {
  const CacheFigures& c = s.cache;
  std::printf(
      "  bits, nominal with outliers: key %s, value %s; quantization error: key %s, value "
      "%s\n",
      text_of(c.key_average_n_bits).c_str(), text_of(c.value_average_n_bits).c_str(),
      text_of(c.key_quantization_error).c_str(), text_of(c.value_quantization_error).c_str());
  if (c.kept_share < 1) std::printf("  kept: %.2f %% of the prefixes\n", 100 * c.kept_share);
  std::printf(
      "  compression: %.2f x paper, %.2f x nominal with scales, %.2f x packed bytes: key %s, value "
      "%s bytes a token\n",
      s.ratio_paper(), s.ratio_nominal(), s.ratio_packed(),
      text_of(c.key_packed_bytes_per_token).c_str(),
      text_of(c.value_packed_bytes_per_token).c_str());
}

void print_cost(const RunSeconds& reference, const RunSeconds& setting) {
  const Cost cost = cost_of(reference, setting);
  std::printf(
      "  time: %.2f s unquantized, %.2f s quantized (%.2f times): prefixes %.2f s, "
      "quantizing %.2f s, behind them %.2f s; comparing, apart, %.2f s\n",
      cost.unquantized, cost.quantized, cost.ratio(), reference.prefix, setting.quantizing,
      setting.tail, setting.comparing);
}

// Generated text on one line, safe for a terminal, all of it.
std::string shown(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  const std::string text = readable_text(tokenizer, ids);
  return printable(text, text.size() + 1);
}

std::string title_of(const EvaluatedSetting& setting) {
  const std::string changed = command_line_text(*setting.policy);
  return setting.name + (changed.empty() ? " (defaults)" : " (" + changed + ")");
}

}  // namespace

Json evaluation_json(const Evaluation& evaluation) {
  const auto& items = evaluation.items;
  const auto setting_json = [&](std::size_t i) {
    const EvaluatedSetting& setting = evaluation.settings[i];
    Json out{{"policy", setting.policy->name()},
             {"parameters", parameters_json(setting.policy->parameters())},
             {"metrics", summary_json(setting.summary)},
             {"cost", cost_json(evaluation.reference_seconds, setting.summary.seconds)}};
    if (evaluation.reference) out["against_none"] = paired_json(paired_test(items, i, {}));
    if (items.size() == 1) out["positions"] = positions_json(items.front(), i);
    return out;
  };
  Json out = setting_json(0);
  out["reference"] = accuracy_json(evaluation.reference);
  if (evaluation.settings.size() == 2) {
    out["against"] = setting_json(1);
    if (evaluation.reference) out["paired"] = paired_json(paired_test(items, 0, 1));
  }
  return out;
}

void print_evaluation(const Evaluation& evaluation) {
  if (evaluation.reference) print_accuracy("whole cache", *evaluation.reference);
  for (std::size_t i = 0; i < evaluation.settings.size(); ++i) {
    const EvaluatedSetting& setting = evaluation.settings[i];
    const SettingSummary& s = setting.summary;
    std::printf("%s\n", title_of(setting).c_str());
    if (s.accuracy) print_accuracy("accuracy", *s.accuracy);
    if (evaluation.reference) {
      print_paired(setting.name, "the whole cache", paired_test(evaluation.items, i, {}));
    }
    if (s.perplexity) {
      std::printf("  perplexity: %.4f, whole cache %.4f (%+.4f, %.4f times) over %lld tokens\n",
                  s.perplexity->quantized, s.perplexity->reference,
                  s.perplexity->quantized - s.perplexity->reference,
                  s.perplexity->quantized / s.perplexity->reference,
                  static_cast<long long>(s.perplexity->n));
    }
    print_divergences(s);
    std::printf("  attention error %s; logits: error %s, largest change %s\n",
                text_of(s.attention_error).c_str(), text_of(s.logit_error).c_str(),
                text_of(s.max_abs_logit_change).c_str());
    print_cache(s);
    print_cost(evaluation.reference_seconds, s.seconds);
  }
  if (evaluation.reference && evaluation.settings.size() == 2) {
    print_paired(evaluation.settings[0].name, evaluation.settings[1].name,
                 paired_test(evaluation.items, 0, 1));
  }
}

Json divergence_json(const DivergenceResult& result, std::span<const EvaluatedSetting> settings,
                     const Tokenizer& tokenizer) {
  const auto setting_json = [&](std::size_t i) -> Json {
    const std::int64_t at = result.first_difference[i];
    return {{"policy", settings[i].policy->name()},
            {"parameters", parameters_json(settings[i].policy->parameters())},
            {"first_difference", at < 0 ? Json(nullptr) : Json(at)},
            {"ids", result.generated[i]},
            {"text", readable_text(tokenizer, result.generated[i])},
            {"metrics", summary_json(settings[i].summary)},
            {"cost", cost_json(result.along.seconds, settings[i].summary.seconds)},
            {"positions", positions_json(result.along, i)}};
  };
  Json out = setting_json(0);
  out["reference"] = {{"ids", result.reference},
                      {"text", readable_text(tokenizer, result.reference)}};
  if (settings.size() == 2) out["against"] = setting_json(1);
  return out;
}

void print_divergence(const DivergenceResult& result, std::span<const EvaluatedSetting> settings,
                      const Tokenizer& tokenizer) {
  std::printf("whole cache: %s\n", shown(tokenizer, result.reference).c_str());
  for (std::size_t i = 0; i < settings.size(); ++i) {
    std::printf("%s: %s\n", title_of(settings[i]).c_str(),
                shown(tokenizer, result.generated[i]).c_str());
    const std::int64_t at = result.first_difference[i];
    if (at < 0) {
      std::printf("  the same text in all %zu tokens\n", result.reference.size());
    } else {
      std::printf("  parts at generated token %lld of %zu (from 0)\n", static_cast<long long>(at),
                  result.reference.size());
    }
    print_divergences(settings[i].summary);
    print_cache(settings[i].summary);
    print_cost(result.along.seconds, settings[i].summary.seconds);
  }
}

}  // namespace qaq::cli
