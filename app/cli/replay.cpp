#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/cli/bound_table.h"
#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/printable.h"
#include "app/cli/replay_flags.h"
#include "app/cli/streaming.h"
#include "app/wiring/device.h"
#include "core/analysis/bits_deficit.h"
#include "core/analysis/violation_summary.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/bound_check.h"
#include "core/replay/calibrate.h"
#include "core/replay/pack_cache.h"
#include "core/replay/replayer.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"
#include "data/packed/packed_file.h"

namespace qaq::cli {
namespace {

struct ReplayCommand {
  ReplayFlags replay;
  std::string save;
  std::string save_packed;
  std::string calibration;
  bool check_bound = false;
  std::int64_t n_draws = 0;
  std::uint64_t seed = 1;
  bool see_future = false;
  StreamingFlags streaming;
};

std::string text_of(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.4g", value);
  return buffer;
}

void print_row(const char* name, double key, double value) {
  std::printf("  %-34s %12s %12s %12s\n", name, text_of(key).c_str(), text_of(value).c_str(),
              text_of((key + value) / 2).c_str());
}

void print_table(const CaptureInfo& info, const ReplayResult& result,
                 const std::optional<ViolationReport>& violations) {
  std::printf("%s: %lld tokens, %zu layers, %lld KV heads; batch, prefix %lld\n", info.name.c_str(),
              static_cast<long long>(info.n_tokens), info.layers.size(),
              static_cast<long long>(info.shape.n_kv_heads), static_cast<long long>(result.prefix));
  std::printf("  %-34s %12s %12s %12s\n", "", "key", "value", "mean");
  if (result.key.evicts()) {
    std::printf(
        "  kept of each KV head's tokens: %.4g %%; what follows but ratios is of these\n",
        100 * static_cast<double>(result.key.n_kept) / static_cast<double>(result.key.n_values));
  }
  print_row("bits, mean", result.key.mean_bits, result.value.mean_bits);
  print_row("bits, nominal with outliers", result.key.average_n_bits, result.value.average_n_bits);
  const auto outlier_share = [](const CacheReplay& c) {
    return 100.0 * static_cast<double>(c.n_outliers) / static_cast<double>(c.n_kept);
  };
  print_row("outliers, actual, %", outlier_share(result.key), outlier_share(result.value));
  print_row("quantization error, MSE", result.key.quantization_error,
            result.value.quantization_error);
  const char* sample = result.in_sample ? " (in-sample)" : "";
  if (result.mean_attention_error) {
    std::printf("  attention error, MSE%s: %s\n", sample,
                text_of(*result.mean_attention_error).c_str());
    std::printf("  output error, MSE%s: %s\n", sample, text_of(*result.mean_output_error).c_str());
  } else {
    std::printf("  attention error: not computed, the capture lacks queries or attention\n");
  }
  std::printf("  compression: %.2f x paper, %.2f x nominal with scales, %.2f x packed bytes\n",
              result.ratio_paper, result.ratio_nominal, result.ratio_packed);
  if (violations) {
    std::printf("  importance violations: %zu of %lld pairs (%.3f %%), window %lld\n",
                violations->violations.size(), static_cast<long long>(violations->n_eligible),
                100 * violations->rate(), static_cast<long long>(violations->window));
  }
}

nlohmann::ordered_json about_json(const ReplayResult& result,
                                  const nlohmann::ordered_json& provenance) {
  return {{"mode", name_of(RunMode::batch)},
          {"policy", result.policy},
          {"parameters", parameters_json(result.parameters)},
          {"prefix", result.prefix},
          {"provenance", provenance}};
}

// Bytes of the file.
std::int64_t save_packed(const std::string& path, const CaptureView& capture,
                         const PlannedCaches& plans, nlohmann::ordered_json about,
                         const Work& work) {
  about["model"] = capture.info().model_name;
  about["layers"] = capture.info().layers;
  return write_packed_file(
      path, {{pack_cache(capture, plans.key, work), pack_cache(capture, plans.value, work)},
             std::move(about)});
}

void run(const ReplayCommand& options, const CommonOptions& common) {
  if (options.check_bound && common.device != "cpu") {
    refuse_usage({.place = "--check-bound",
                  .what = "is measured on the CPU alone",
                  .cure = "leave it out, or run with --device cpu"});
  }
  const OpenReplay open = make_replay(common.device);
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  refuse_streaming_parameters(options.replay.assignments);
  const ScopeParams params = options.replay.params();
  for (const auto& [flag, is_given] : {std::pair{"--check-bound", options.check_bound},
                                       std::pair{"--save-packed", !options.save_packed.empty()},
                                       std::pair{"--device", common.device != "cpu"}}) {
    if (is_given) require_qaq(params, flag);
  }
  if (!options.save.empty()) require_run_name(options.save);
  if (!options.save_packed.empty()) {
    options.replay.check_output("--save-packed", options.save_packed);
  }

  const auto capture = open_capture(options.replay.capture, work);
  const double load = total.seconds();
  const Stopwatch replay_watch;
  Replayer replayer(*capture, open);
  ReplayOptions options_of_replay = replay_options(params, options.replay.prefix);
  if (!options.calibration.empty()) {
    options_of_replay.policy =
        calibrated_on(*make_policy(params), *open_capture(options.calibration, work), work);
  }
  const SharedReplay result = replayer.full(options_of_replay, work);
  const double replay_seconds = replay_watch.seconds();
  std::shared_ptr<const BoundCheck> bound;
  if (options.check_bound) {
    bound = check_bound(*capture,
                        {.replay = options_of_replay,
                         .n_draws = options.n_draws,
                         .seed = options.seed,
                         .see_future = options.see_future},
                        work);
  }
  const double check_seconds = replay_watch.seconds() - replay_seconds;
  std::optional<ViolationReport> violations;
  if (params.is_qaq() && capture->info().profile != AttentionProfile::none) {
    violations =
        find_violations(*capture, params.violation, params.qaq.value.last_n_attentions, work);
  }
  const Stopwatch write_watch;
  auto record = provenance();
  record["created_utc"] = utc_now();
  record["capture"] = capture->info().name;
  add_replay_device(record, common.device);
  if (!options.save.empty()) save_run(options.replay.capture, options.save, *result, record.dump());
  std::int64_t packed_bytes = 0;
  if (!options.save_packed.empty()) {
    packed_bytes =
        save_packed(options.save_packed, *capture, replayer.plans(options_of_replay, work),
                    about_json(*result, record), work);
  }
  const double write = write_watch.seconds();

  if (!common.json) {
    print_table(capture->info(), *result, violations);
    if (!options.save_packed.empty()) {
      std::printf("  packed: %lld bytes in %s\n", static_cast<long long>(packed_bytes),
                  printable(options.save_packed).c_str());
    }
    if (bound) print_bound_table(*bound);
    return;
  }
  nlohmann::ordered_json document{{"capture", options.replay.capture},
                                  {"mode", name_of(RunMode::batch)},
                                  {"policy", result->policy},
                                  {"parameters", parameters_json(list_parameters(params))},
                                  {"n_tokens", capture->info().n_tokens},
                                  {"prefix", result->prefix},
                                  {"metrics", metrics_json(*result)},
                                  {"violations", nullptr}};
  if (violations) {
    const CaptureInfo& info = capture->info();
    const auto deficits =
        bits_deficits(*violations, info, replayer.plans(options_of_replay).value, params.qaq.value);
    document["violations"] =
        violations_json(*violations, info, deficits, persistence(*capture, work));
  }
  if (bound) document["bound_check"] = bound_check_json(*bound);
  if (!options.save.empty()) document["run"] = options.save;
  if (!options.save_packed.empty()) {
    document["packed"] = {{"file", options.save_packed}, {"bytes", packed_bytes}};
  }
  document["timing"] = {{"load", load}, {"replay", replay_seconds}};
  if (bound) document["timing"]["check_bound"] = check_seconds;
  document["timing"]["write"] = write;
  document["timing"]["total"] = total.seconds();
  print_json(document);
}

}  // namespace

void add_replay(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<ReplayCommand>();
  CLI::App* command =
      program.add_subcommand("replay", "Quantize a capture's cache and measure the loss");
  add_replay_flags(*command, options->replay);
  CLI::Option* check = command->add_flag(
      "--check-bound", options->check_bound,
      "Hold the errors of scores and outputs against what the variant promises, by layer and head");
  command
      ->add_option("--mc", options->n_draws,
                   "With --check-bound: draws of the even rounding errors that theory assumes")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000000}))
      ->needs(check);
  command->add_option("--seed", options->seed, "Of the draws")->capture_default_str()->needs(check);
  command
      ->add_flag("--see-future", options->see_future,
                 "With --check-bound: let bits follow from the attention that they are checked on, "
                 "which no policy can know: what is left are no persistence violations")
      ->needs(check);
  command->add_option("--save", options->save, "Keep the run in the capture under this name");
  command
      ->add_option("--save-packed", options->save_packed,
                   "Write the packed caches into this file; see qaq info FILE.qkv")
      ->type_name("FILE.qkv");
  command
      ->add_option("--calibration", options->calibration,
                   "What a policy that learns (kvquant) learns from: another capture of the model; "
                   "left out: the one that is replayed")
      ->type_name("FILE.h5");
  add_streaming_flags(*command, options->streaming);
  command->footer(
      parameter_help() + rival_help() + streaming_parameter_help() +
      "With --device cuda the first NVIDIA GPU measures errors; bits are planned on the CPU. "
      "Bits,\n"
      "outliers and sizes are the same, errors agree within the rounding of float32. Where there\n"
      "is no GPU one line says so, and the exit code is 1.\n"
      "Examples:\n"
      "  qaq replay story.h5 --preset paper\n"
      "  qaq replay story.h5 --preset paper --save-packed story.qkv\n"
      "  qaq replay story.h5 --preset paper --device cuda\n"
      "  qaq replay story.h5 --set target_quantization_error=0.03 --set key.level=token --json\n"
      "  qaq replay story.h5 --preset bound --prefix 400 --check-bound --mc 20\n"
      "  qaq replay story.h5 --streaming --prefill 400 --set importance=ema --json");
  command->callback([options, &common] {
    if (options->streaming.streaming) {
      run_streaming(options->replay, options->streaming, options->save, common);
    } else {
      run(*options, common);
    }
  });
}

}  // namespace qaq::cli
