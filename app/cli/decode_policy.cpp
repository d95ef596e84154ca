#include "app/cli/decode_policy.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/streaming.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/presets/preset.h"

namespace qaq::cli {
namespace {

// Where a model runs, the loop is closed unless somebody says otherwise, who is told.
struct DecodeParams : StreamedParams {
  DecodeParams() { streaming.loop = StreamingLoop::closed; }
};

std::string parts_text(const DecodeFigures& f) {
  const auto sum = [&](std::int64_t PackedBytes::*part) {
    return f.key_bytes.*part + f.value_bytes.*part;
  };
  return cat("payload ", byte_text(sum(&PackedBytes::payload)), ", scales ",
             byte_text(sum(&PackedBytes::scales)), ", outlier values ",
             byte_text(sum(&PackedBytes::outlier_values)), ", their places ",
             byte_text(sum(&PackedBytes::outlier_indices) + sum(&PackedBytes::outlier_counts)),
             ", bit map ", byte_text(sum(&PackedBytes::bit_map)), ", offsets ",
             byte_text(sum(&PackedBytes::offsets)), ", positions ",
             byte_text(sum(&PackedBytes::positions)), ", unquantized ",
             byte_text(f.unquantized_bytes()));
}

// "exact" where no unit is quantized: 0 bits would be another thing.
std::string bits_text(double mean, const PackedBytes& bytes) {
  if (bytes.payload == 0 && bytes.scales == 0) return "exact";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", mean);
  return text;
}

std::string device_text(const DecodeFigures::OnDevice& on_device) {
  const auto sum = [&](std::int64_t DeviceCacheBytes::*part) {
    return byte_text(on_device.key.*part + on_device.value.*part);
  };
  return cat(byte_text(on_device.key.total() + on_device.value.total()), ": codes ",
             sum(&DeviceCacheBytes::codes), ", scales ", sum(&DeviceCacheBytes::scales),
             ", outliers ", sum(&DeviceCacheBytes::outliers), ", maps ",
             sum(&DeviceCacheBytes::maps), ", unused ", sum(&DeviceCacheBytes::unused),
             ", workspace ", sum(&DeviceCacheBytes::workspace));
}

std::string beside_text(const DecodeFigures& f) {
  if (!f.step_exposed_seconds) return "";
  char text[80];
  std::snprintf(text, sizeof text, ", beside the model, which waited for %.1f %%",
                100 * f.exposed_share());
  return text;
}

}  // namespace

void add_decode_policy_flags(CLI::App& command, DecodePolicyFlags& flags) {
  command
      .add_option(
          "--policy", flags.policy,
          "What quantizes the cache while the model decodes on it, and what is evicted: qaq, "
          "one of its rivals, or two of them as in qaq+h2o; none: nothing")
      ->type_name("NAME[+NAME]")
      ->capture_default_str();
  command.add_option("--preset", flags.preset,
                     "With --policy: parameters from a bundled preset or a JSON file: paper, "
                     "bound, FILE");
  command
      .add_option("--set", flags.assignments,
                  "With --policy: one parameter, NAME=VALUE; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::string decode_parameter_help() {
  return "Parameters of --set (key.NAME or value.NAME for one cache, NAME for both):\n" +
         parameter_lines(list_parameters(DecodeParams{}));
}

std::optional<DecodePolicy> decode_policy_of(const DecodePolicyFlags& flags, DType dtype) {
  if (flags.policy == "none") {
    if (flags.preset.empty() && flags.assignments.empty()) return {};
    refuse_usage({.place = flags.preset.empty() ? "--set" : "--preset",
                  .what = "has no policy to set parameters of",
                  .cure = "add --policy qaq"});
  }
  if (flags.policy != "qaq") {
    const ReplayFlags rival{
        .policy = flags.policy, .preset = flags.preset, .assignments = flags.assignments};
    return DecodePolicy{.dtype = dtype, .policy = rival.cache_policy()};
  }
  const auto params = params_from<DecodeParams>(flags.preset, flags.assignments);
  const DecodePolicy policy{params.qaq, params.streaming, dtype};
  check_params_from(flags.preset, flags.assignments, [&] { validate(policy); });
  return policy;
}

void print_cache(const DecodePolicy& policy, const DecodeFigures& f) {
  const auto count = [](std::int64_t n) { return static_cast<long long>(n); };
  std::fprintf(
      stderr,
      "cache, quantized by %s: %lld tokens in %s instead of %s (%.2f x)\n"
      "  bits, mean: key %s, value %s\n"
      "  packed: %s\n"
      "  %lld steps: %lld promotions, %lld demotions, %lld units fetched\n"
      "  over the link: %s to the host in %lld transfers, %s back in %lld; by the link model %.4g "
      "ms, of which steps wait %.4g ms\n"
      "  quantizing took %.1f %% of the steps' time%s\n",
      policy.name().c_str(), count(f.prefill + f.steps), byte_text(f.resident_bytes).c_str(),
      byte_text(f.full_bytes).c_str(),
      static_cast<double>(f.full_bytes) / static_cast<double>(f.resident_bytes),
      bits_text(f.key_mean_bits, f.key_bytes).c_str(),
      bits_text(f.value_mean_bits, f.value_bytes).c_str(), parts_text(f).c_str(), count(f.steps),
      count(f.key.promotions + f.value.promotions), count(f.key.demotions + f.value.demotions),
      count(f.key.fetched + f.value.fetched), byte_text(f.d2h.bytes).c_str(), count(f.d2h.count),
      byte_text(f.h2d.bytes).c_str(), count(f.h2d.count), 1e3 * f.h2d_seconds,
      1e3 * f.stall_seconds, 100 * f.quantizing_share(), beside_text(f).c_str());
  if (f.kept_share < 1) std::fprintf(stderr, "  kept: %.2f %%\n", 100 * f.kept_share);
  if (f.on_device) {
    std::fprintf(stderr, "  pages on the GPU, reserved: %s\n", device_text(*f.on_device).c_str());
  }
}

nlohmann::ordered_json cache_json(const DecodePolicy& policy, const DecodeFigures& figures) {
  const StreamedParams all{policy.params, policy.streaming};
  nlohmann::ordered_json out{
      {"policy", policy.name()},
      {"dtype", name_of(policy.dtype)},
      {"parameters", parameters_json(policy.policy ? policy.parameters() : list_parameters(all))}};
  out.update(decode_figures_json(figures));
  return out;
}

}  // namespace qaq::cli
