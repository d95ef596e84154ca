#include "core/evaluate/item_result.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no NaN: what is not known is null.
double number_from(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

std::vector<double> numbers_from(const Json& json) {
  std::vector<double> out;
  for (const Json& each : json) out.push_back(number_from(each));
  return out;
}

Json seconds_json(const RunSeconds& s) { return {s.prefix, s.tail, s.quantizing, s.comparing}; }

RunSeconds seconds_from(const Json& json) {
  return {json.at(0).get<double>(), json.at(1).get<double>(), json.at(2).get<double>(),
          json.at(3).get<double>()};
}

Json setting_json(const SettingResult& setting) {
  Json out;
  CacheFigures::visit(setting.cache, [&](const char* name, double value) { out[name] = value; });
  out["attention_error"] = setting.attention_error;
  out["logit_error"] = setting.logit_error;
  out["max_abs_logit_change"] = setting.max_abs_logit_change;
  out["kl"] = setting.kl;
  out["same_top"] = setting.same_top;
  out["nll"] = setting.nll;
  out["choices"] = setting.choices.log_probability;
  out["seconds"] = seconds_json(setting.seconds);
  return out;
}

SettingResult setting_from(const Json& json) {
  SettingResult out;
  CacheFigures::visit(
      out.cache, [&](const char* name, double& value) { value = json.at(name).get<double>(); });
  out.attention_error = number_from(json.at("attention_error"));
  out.logit_error = number_from(json.at("logit_error"));
  out.max_abs_logit_change = json.at("max_abs_logit_change").get<double>();
  out.kl = numbers_from(json.at("kl"));
  out.same_top = json.at("same_top").get<std::vector<std::uint8_t>>();
  out.nll = numbers_from(json.at("nll"));
  out.choices.log_probability = numbers_from(json.at("choices"));
  out.seconds = seconds_from(json.at("seconds"));
  return out;
}

// A file may have been written by anybody: sums are taken over these without looking again.
bool fits_together(const ItemResult& item, std::size_t n_settings) {
  const std::size_t n_positions = item.margin.size(),
                    n_choices = item.choices.log_probability.size();
  const bool answered = item.answer < 0 || static_cast<std::size_t>(item.answer) < n_choices;
  const auto fits = [&](const SettingResult& setting) {
    return setting.kl.size() == n_positions && setting.same_top.size() == n_positions &&
           setting.nll.size() == n_positions && setting.choices.log_probability.size() == n_choices;
  };
  return item.n_prefix > 0 && answered && item.nll.size() == n_positions &&
         item.settings.size() == n_settings && std::ranges::all_of(item.settings, fits);
}

}  // namespace

CacheFigures cache_figures(const ReplayResult& cache) {
  const auto per_token = [&](std::int64_t n) {
    return static_cast<double>(n) / static_cast<double>(cache.prefix);
  };
  return {.key_quantization_error = cache.key.quantization_error,
          .value_quantization_error = cache.value.quantization_error,
          .key_average_n_bits = cache.key.average_n_bits,
          .value_average_n_bits = cache.value.average_n_bits,
          .key_average_size = cache.key.size_per_token_bits,
          .value_average_size = cache.value.size_per_token_bits,
          .share_paper = 1 / cache.ratio_paper,
          .share_nominal = 1 / cache.ratio_nominal,
          .share_packed = 1 / cache.ratio_packed,
          .key_packed_bytes_per_token = per_token(cache.key.packed.total()),
          .value_packed_bytes_per_token = per_token(cache.value.packed.total()),
          .kept_share =
              static_cast<double>(cache.key.n_kept) / static_cast<double>(cache.key.n_values)};
}

std::int32_t ChoiceScores::best() const {
  std::int32_t best = -1;
  for (std::size_t i = 0; i < log_probability.size(); ++i) {
    if (best < 0 || log_probability[i] > log_probability[static_cast<std::size_t>(best)]) {
      best = static_cast<std::int32_t>(i);
    }
  }
  return best;
}

Json item_json(const ItemResult& item) {
  Json settings = Json::array();
  for (const SettingResult& setting : item.settings) settings.push_back(setting_json(setting));
  return {{"id", item.id},
          {"n_prefix", item.n_prefix},
          {"answer", item.answer},
          {"boundary_mismatch", item.boundary_mismatch},
          {"margin", item.margin},
          {"nll", item.nll},
          {"choices", item.choices.log_probability},
          {"seconds", seconds_json(item.seconds)},
          {"settings", std::move(settings)}};
}

ItemResult item_from_json(const Json& json, std::size_t n_settings) {
  try {
    ItemResult out;
    out.id = json.at("id").get<std::string>();
    out.n_prefix = json.at("n_prefix").get<std::int64_t>();
    out.answer = json.at("answer").get<std::int32_t>();
    out.boundary_mismatch = json.at("boundary_mismatch").get<bool>();
    out.margin = numbers_from(json.at("margin"));
    out.nll = numbers_from(json.at("nll"));
    out.choices.log_probability = numbers_from(json.at("choices"));
    out.seconds = seconds_from(json.at("seconds"));
    for (const Json& setting : json.at("settings")) out.settings.push_back(setting_from(setting));
    if (fits_together(out, n_settings)) return out;
  } catch (const nlohmann::json::exception&) {
    // Refused below, as is what does not fit together.
  }
  refuse_input(
      {.what = "is no finished item of this evaluation", .cure = "remove the file to begin anew"});
}

ItemBuilder::ItemBuilder(PrefixRun& run, std::string id)
    : run_(run), attention_squares_(run.n_settings()), logit_squares_(run.n_settings()) {
  item_.id = std::move(id);
  item_.settings.resize(run.n_settings());
}

void ItemBuilder::add_cache() {
  ++n_caches_;
  n_prefix_ += std::ssize(run_.prefix());
  for (std::size_t i = 0; i < run_.n_settings(); ++i) {
    const CacheFigures more = cache_figures(run_.cache(i));
    std::vector<double> added;
    CacheFigures::visit(more, [&](const char*, double value) { added.push_back(value); });
    auto next = added.begin();
    CacheFigures::visit(item_.settings[i].cache,
                        [&](const char*, double& value) { value += *next++; });
  }
}

void ItemBuilder::add_tail(const std::vector<TailScores>& scores) {
  for (const PositionScore& p : scores.front().positions) {
    item_.margin.push_back(p.margin);
    item_.nll.push_back(p.reference_nll);
  }
  n_positions_ += std::ssize(scores.front().positions);
  n_attention_ += scores.front().n_attention;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    SettingResult& setting = item_.settings[i];
    attention_squares_[i] += scores[i].attention_squares;
    for (const PositionScore& p : scores[i].positions) {
      setting.kl.push_back(p.kl);
      setting.same_top.push_back(p.same_top ? 1 : 0);
      setting.nll.push_back(p.nll);
      logit_squares_[i] += p.squared_difference;
      setting.max_abs_logit_change = std::max(setting.max_abs_logit_change, p.max_change);
    }
  }
}

ItemResult ItemBuilder::finish() {
  const auto mean = [](double sum, std::int64_t n) {
    return n == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(n);
  };
  item_.n_prefix = n_prefix_ / n_caches_;
  const PrefixRun::Spent spent = run_.take_seconds();
  item_.seconds = spent.full;
  for (std::size_t i = 0; i < item_.settings.size(); ++i) {
    SettingResult& setting = item_.settings[i];
    CacheFigures::visit(setting.cache,
                        [&](const char*, double& value) { value = mean(value, n_caches_); });
    setting.attention_error = mean(attention_squares_[i], n_attention_);
    setting.logit_error = mean(logit_squares_[i], n_positions_ * run_.spec().shape.vocab_size);
    setting.seconds = spent.settings[i];
  }
  return std::move(item_);
}

}  // namespace qaq
