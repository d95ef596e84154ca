#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/replay/streaming.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

// figure(step) of every step.
template <class Figure>
Json array_of(const StreamingResult& result, const Figure& figure) {
  Json out = Json::array();
  for (const StreamingStep& step : result.steps) out.push_back(figure(step));
  return out;
}

Json side_arrays(const StreamingResult& result, CacheChanges StreamingStep::*side) {
  const auto array = [&](std::int64_t CacheChanges::*figure) {
    return array_of(result, [&](const StreamingStep& step) { return step.*side.*figure; });
  };
  return {{"promotions", array(&CacheChanges::promotions)},
          {"demotions", array(&CacheChanges::demotions)},
          {"fetched_units", array(&CacheChanges::fetched)},
          {"requantized_values", array(&CacheChanges::requantized_values)}};
}

}  // namespace

Json changes_json(const CacheChanges& changes) {
  return {{"promotions", changes.promotions},
          {"demotions", changes.demotions},
          {"fetched_units", changes.fetched},
          {"requantized_values", changes.requantized_values}};
}

Json streaming_totals_json(const StreamingResult& result) {
  CacheChanges key, value;
  Transfers d2h, h2d;
  double h2d_seconds = 0, stall = 0, longest = 0, errors = 0, output = 0, entries = 0;
  std::int64_t peak = result.prefill_step.resident_bytes;
  for (const StreamingStep& step : result.steps) {
    key += step.key;
    value += step.value;
    d2h += step.d2h;
    h2d += step.h2d;
    h2d_seconds += step.h2d_seconds;
    stall += step.stall_seconds;
    longest = std::max(longest, step.stall_seconds);
    peak = std::max(peak, step.resident_bytes);
    const auto n_keys = static_cast<double>(step.token + 1);
    errors += step.attention_error * n_keys;
    entries += n_keys;
    output += step.output_error;
  }
  const auto n_steps = static_cast<double>(result.steps.size());
  const StreamingStep& last = result.steps.back();
  const auto fetched = static_cast<double>(key.fetched + value.fetched);
  Json out;
  out["steps"] = result.steps.size();
  out["attention_error"] = result.has_errors ? Json(errors / entries) : Json(nullptr);
  out["output_error"] = result.has_errors ? Json(output / n_steps) : Json(nullptr);
  out["key"] = changes_json(key);
  out["value"] = changes_json(value);
  out["key"]["final_mean_bits"] = last.key_mean_bits;
  out["value"]["final_mean_bits"] = last.value_mean_bits;
  out["fetch_rate"] =
      result.unit_steps == 0 ? 0.0 : fetched / static_cast<double>(result.unit_steps);
  out["d2h_bytes"] = d2h.bytes;
  out["d2h_transfers"] = d2h.count;
  out["h2d_bytes"] = h2d.bytes;
  out["h2d_transfers"] = h2d.count;
  out["final_resident_bytes"] = last.resident_bytes;
  out["peak_resident_bytes"] = peak;
  out["host_bytes"] = last.host_bytes;
  out["full_bytes"] = result.full_bytes;
  out["kept_share"] = last.kept_share;
  out["ratio_resident"] =
      static_cast<double>(result.full_bytes) / static_cast<double>(last.resident_bytes);
  // Of the link model, not of a machine.
  out["modelled_h2d_seconds"] = h2d_seconds;
  out["modelled_stall_seconds"] = stall;
  out["modelled_longest_stall_seconds"] = longest;
  const StreamingStep& prompt = result.prefill_step;
  out["prefill"] = {{"tokens", result.prefill},
                    {"demotions", prompt.key.demotions + prompt.value.demotions},
                    {"d2h_bytes", prompt.d2h.bytes},
                    {"resident_bytes", prompt.resident_bytes},
                    {"key_mean_bits", prompt.key_mean_bits},
                    {"value_mean_bits", prompt.value_mean_bits}};
  return out;
}

Json streaming_steps_json(const StreamingResult& result) {
  const auto array = [&](auto StreamingStep::*figure) {
    return array_of(result, [&](const StreamingStep& step) { return step.*figure; });
  };
  const auto transfers = [&](Transfers StreamingStep::*way, std::int64_t Transfers::*figure) {
    return array_of(result, [&](const StreamingStep& step) { return step.*way.*figure; });
  };
  Json out;
  out["token"] = array(&StreamingStep::token);
  out["key"] = side_arrays(result, &StreamingStep::key);
  out["value"] = side_arrays(result, &StreamingStep::value);
  out["key"]["mean_bits"] = array(&StreamingStep::key_mean_bits);
  out["value"]["mean_bits"] = array(&StreamingStep::value_mean_bits);
  out["d2h_bytes"] = transfers(&StreamingStep::d2h, &Transfers::bytes);
  out["h2d_bytes"] = transfers(&StreamingStep::h2d, &Transfers::bytes);
  out["h2d_transfers"] = transfers(&StreamingStep::h2d, &Transfers::count);
  out["resident_bytes"] = array(&StreamingStep::resident_bytes);
  out["host_bytes"] = array(&StreamingStep::host_bytes);
  out["kept_share"] = array(&StreamingStep::kept_share);
  out["modelled_d2h_seconds"] = array(&StreamingStep::d2h_seconds);
  out["modelled_h2d_seconds"] = array(&StreamingStep::h2d_seconds);
  out["modelled_stall_seconds"] = array(&StreamingStep::stall_seconds);
  if (result.has_errors) {
    out["attention_error"] = array(&StreamingStep::attention_error);
    out["output_error"] = array(&StreamingStep::output_error);
  }
  return out;
}

}  // namespace qaq
