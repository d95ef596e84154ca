#include "core/evaluate/summary_json.h"

#include <nlohmann/json.hpp>

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

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
  out["key_packed_bytes_per_token"] = s.cache.key_packed_bytes_per_token;
  out["value_packed_bytes_per_token"] = s.cache.value_packed_bytes_per_token;
  out["kept_share"] = s.cache.kept_share;
  return out;
}

}  // namespace qaq
