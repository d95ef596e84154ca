#include "core/evaluate/policy_decoder.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/replay.h"

namespace qaq {

std::string DecodePolicy::name() const { return policy ? std::string(policy->name()) : "qaq"; }

std::vector<Parameter> DecodePolicy::parameters() const {
  return policy ? policy->parameters() : list_parameters(params);
}

void require_qaq(const DecodePolicy& policy, std::string_view device) {
  if (!policy.policy) return;
  refuse_usage({.place = "--policy",
                .what = cat(policy.name(), " cannot quantize or evict on ", device,
                            ", which decodes with qaq alone"),
                .cure = "run with --device cpu"});
}

void validate(const DecodePolicy& policy) {
  validate(policy.params);
  refuse_eviction(policy.params, "a model that decodes on its cache");
  validate(policy.streaming, StreamingLoop::closed);
}

namespace {

nlohmann::ordered_json device_json(const DeviceCacheBytes& bytes) {
  return {{"codes", bytes.codes},  {"scales", bytes.scales}, {"outliers", bytes.outliers},
          {"maps", bytes.maps},    {"unused", bytes.unused}, {"workspace", bytes.workspace},
          {"total", bytes.total()}};
}

}  // namespace

nlohmann::ordered_json decode_figures_json(const DecodeFigures& f) {
  const auto side = [](const CacheChanges& changes, double mean_bits, const PackedBytes& packed) {
    auto out = changes_json(changes);
    out["final_mean_bits"] = mean_bits;
    out["packed_bytes"] = packed_json(packed);
    return out;
  };
  const double ratio = f.resident_bytes > 0 ? static_cast<double>(f.full_bytes) /
                                                  static_cast<double>(f.resident_bytes)
                                            : 1.0;
  nlohmann::ordered_json out{
      {"steps", f.steps},
      {"key", side(f.key, f.key_mean_bits, f.key_bytes)},
      {"value", side(f.value, f.value_mean_bits, f.value_bytes)},
      {"d2h_bytes", f.d2h.bytes},
      {"d2h_transfers", f.d2h.count},
      {"h2d_bytes", f.h2d.bytes},
      {"h2d_transfers", f.h2d.count},
      {"unquantized_bytes", f.unquantized_bytes()},
      {"final_resident_bytes", f.resident_bytes},
      {"peak_resident_bytes", f.peak_resident_bytes ? nlohmann::ordered_json(*f.peak_resident_bytes)
                                                    : nlohmann::ordered_json()},
      {"full_bytes", f.full_bytes},
      {"kept_share", f.kept_share},
      {"ratio_resident", ratio},
      {"modelled_h2d_seconds", f.h2d_seconds},
      {"modelled_stall_seconds", f.stall_seconds},
      {"prefill",
       {{"tokens", f.prefill},
        {"demotions", f.prompt.key.demotions + f.prompt.value.demotions},
        {"d2h_bytes", f.prompt.d2h.bytes},
        {"resident_bytes", f.prompt.resident_bytes},
        {"key_mean_bits", f.prompt.key_mean_bits},
        {"value_mean_bits", f.prompt.value_mean_bits}}},
      {"quantizing_share", f.quantizing_share()},
      {"exposed_share", f.exposed_share()},
      {"timing",
       {{"prefill", f.prefill_seconds},
        {"prefill_quantizing", f.prefill_quantizing_seconds},
        {"steps", f.step_seconds},
        {"steps_quantizing", f.step_quantizing_seconds},
        {"steps_exposed", f.step_exposed_seconds.value_or(f.step_quantizing_seconds)}}}};
  if (f.on_device) {
    out["on_device"] = {{"key", device_json(f.on_device->key)},
                        {"value", device_json(f.on_device->value)}};
  }
  return out;
}

}  // namespace qaq
