#include "app/cli/streaming.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/console.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/run_mode.h"
#include "core/replay/streaming.h"
#include "data/capture/capture_file.h"
#include "data/presets/preset.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

void print_changes(const char* name, const Json& changes) {
  std::printf(
      "  %-7s %12lld %12lld %12lld %14lld %10.2f\n", name, changes["promotions"].get<long long>(),
      changes["demotions"].get<long long>(), changes["fetched_units"].get<long long>(),
      changes["requantized_values"].get<long long>(), changes["final_mean_bits"].get<double>());
}

std::string bytes_of(const Json& totals, const char* name) {
  return byte_text(totals[name].get<std::int64_t>());
}

void print_totals(const CaptureInfo& info, const StreamingResult& result) {
  const Json totals = streaming_totals_json(result);
  std::printf(
      "%s: %lld tokens, %zu layers, %lld KV heads; streaming, open loop, %lld steps after a "
      "prefill of %lld\n",
      info.name.c_str(), static_cast<long long>(info.n_tokens), info.layers.size(),
      static_cast<long long>(info.shape.n_kv_heads), static_cast<long long>(result.steps.size()),
      static_cast<long long>(result.prefill));
  std::printf("  %-7s %12s %12s %12s %14s %10s\n", "steps", "promotions", "demotions", "fetched",
              "requantized", "bits, end");
  print_changes("key", totals["key"]);
  print_changes("value", totals["value"]);
  std::printf("  fetch rate: %.3g of all units a step\n", totals["fetch_rate"].get<double>());
  std::printf("  to the host: %s, back: %s in %lld transfers\n",
              bytes_of(totals, "d2h_bytes").c_str(), bytes_of(totals, "h2d_bytes").c_str(),
              totals["h2d_transfers"].get<long long>());
  std::printf(
      "  on the device: %s at the end (%.2f x packed), %s at most; on the host: %s\n",
      bytes_of(totals, "final_resident_bytes").c_str(), totals["ratio_resident"].get<double>(),
      bytes_of(totals, "peak_resident_bytes").c_str(), bytes_of(totals, "host_bytes").c_str());
  if (totals["kept_share"] < 1) {
    std::printf("  kept: %.2f %%\n", 100 * totals["kept_share"].get<double>());
  }
  std::printf("  stall by the link model: %.4g ms a step, %.4g ms the longest\n",
              1e3 * totals["modelled_stall_seconds"].get<double>() /
                  static_cast<double>(result.steps.size()),
              1e3 * totals["modelled_longest_stall_seconds"].get<double>());
  if (result.has_errors) {
    std::printf("  against the whole cache: attention error, MSE: %.4g; output error, MSE: %.4g\n",
                totals["attention_error"].get<double>(), totals["output_error"].get<double>());
  } else {
    std::printf("  errors: not computed, the capture lacks queries\n");
  }
}

}  // namespace

void add_streaming_flags(CLI::App& replay, StreamingFlags& flags) {
  CLI::Option* streaming = replay.add_flag(
      "--streaming", flags.streaming,
      "Replay decode step by step: a quantized cache on the device, a whole copy on the host; "
      "--save keeps every step");
  for (const char* other : {"--prefix", "--check-bound", "--save-packed"}) {
    streaming->excludes(replay.get_option(other));
  }
  replay
      .add_option("--prefill", flags.prefill,
                  "With --streaming: tokens before decode; 0: the capture's prompt, or half of the "
                  "tokens where nothing was generated")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str()
      ->needs(streaming);
}

std::string streaming_parameter_help() {
  return "More parameters of --set with --streaming (which has none of violations):\n" +
         parameter_lines(list_parameters(StreamingParams{}));
}

void refuse_streaming_parameters(const std::vector<std::string>& assignments) {
  for (const std::string& assignment : assignments) {
    const std::string name = split_assignment(assignment).first;
    for (const Parameter& parameter : list_parameters(StreamingParams{})) {
      if (parameter.name != name) continue;
      refuse_usage({.place = name,
                    .what = "is a parameter of the replay step by step",
                    .cure = "add --streaming"});
    }
  }
}

void run_streaming(const ReplayFlags& replay, const StreamingFlags& flags, const std::string& save,
                   const CommonOptions& common) {
  require_device(common.device);
  const bool is_qaq = replay.policy.empty() || replay.policy == "qaq";
  if (!save.empty()) {
    if (!is_qaq) require_qaq({.policy = replay.policy}, "--streaming --save");
    require_run_name(save);
  }
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  const auto rival = is_qaq ? nullptr : replay.cache_policy();
  StreamedParams params;
  if (is_qaq) {
    params = params_from<StreamedParams>(replay.preset, replay.assignments);
    check_params_from(replay.preset, replay.assignments, [&] {
      validate(params.qaq);
      validate(params.streaming);
    });
  }

  const auto capture = open_capture(replay.capture, work);
  const double load = total.seconds();
  const Stopwatch replay_watch;
  const SharedStreaming result =
      stream(*capture, {params.qaq, params.streaming, flags.prefill, rival}, work);
  const double replayed = replay_watch.seconds();
  const Stopwatch write_watch;
  if (!save.empty()) {
    auto record = provenance();
    record["created_utc"] = utc_now();
    record["capture"] = capture->info().name;
    save_run(replay.capture, save, *result, record.dump());
  }
  const double write = write_watch.seconds();
  if (!common.json) {
    print_totals(capture->info(), *result);
    return;
  }
  Json document{{"capture", replay.capture},
                {"mode", name_of(RunMode::streaming)},
                {"policy", result->policy},
                {"parameters", parameters_json(result->parameters)},
                {"n_tokens", result->n_tokens},
                {"prefill", result->prefill},
                {"metrics", streaming_totals_json(*result)},
                {"steps", streaming_steps_json(*result)}};
  if (!save.empty()) document["run"] = save;
  document["timing"] = {
      {"load", load}, {"replay", replayed}, {"write", write}, {"total", total.seconds()}};
  print_json(document);
}

}  // namespace qaq::cli
