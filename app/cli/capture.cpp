#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/dtype_flag.h"
#include "app/cli/generation_flags.h"
#include "app/cli/prompt_flags.h"
#include "app/wiring/model_capture.h"
#include "core/base/text.h"
#include "data/capture/profile_name.h"

namespace qaq::cli {
namespace {

struct Seconds {
  double load = 0;
  double write = 0;
  double total = 0;
};

// Assumed, to say before a long run how long it will take: a PCIe 4 link, and a disk of today.
constexpr double kLinkRate = 25e9, kDiskRate = 2e9;

std::string seconds_text(double seconds) {
  if (seconds < 1) return cat(std::max(1, static_cast<int>(seconds * 1000)), " ms");
  return cat(std::llround(seconds), " s");
}

// What a GPU's capture moves, and the way out where that is much.
void print_forecast(const CapturePlan& plan) {
  const std::int64_t link = predicted_link_bytes(plan), disk = predicted_capture_bytes(plan);
  std::fprintf(stderr, "over the link %s (%s at 25 GB/s), to the disk %s (%s at 2 GB/s)\n",
               byte_text(link).c_str(), seconds_text(static_cast<double>(link) / kLinkRate).c_str(),
               byte_text(disk).c_str(),
               seconds_text(static_cast<double>(disk) / kDiskRate).c_str());
  const bool stores_scores =
      plan.info.profile == AttentionProfile::full || plan.info.profile == AttentionProfile::window;
  if (!stores_scores || !plan.info.has_queries) return;
  CapturePlan derived = plan;
  derived.info.profile = AttentionProfile::derive;
  std::fprintf(stderr, "with --attention derive %s and %s\n",
               byte_text(predicted_link_bytes(derived)).c_str(),
               byte_text(predicted_capture_bytes(derived)).c_str());
}

void report_json(const CaptureRequest& options, const CapturePlan& plan, const Generation& result,
                 const std::string& generated, const Seconds& seconds) {
  print_json({{"capture", options.output},
              {"bytes", std::filesystem::file_size(options.output)},
              {"model", plan.info.model_name},
              {"n_layers", plan.info.layers.size()},
              {"n_tokens", result.ids.size()},
              {"prompt_tokens", result.n_prompt},
              {"generated_tokens", result.n_generated()},
              {"generated_text", generated},
              {"attention", name_of(plan.info.profile)},
              {"dtype", name_of(plan.info.dtype)},
              {"generation", generation_json(options.generation)},
              {"prefill_tokens_per_second", result.prefill_rate()},
              {"decode_tokens_per_second", result.decode_rate()},
              {"timing",
               {{"load", seconds.load},
                {"prefill", result.prefill},
                {"decode", result.decode},
                {"write", seconds.write},
                {"total", seconds.total}}}});
}

void report_text(const std::string& path, const Generation& result, const std::string& generated) {
  if (!generated.empty()) std::printf("%s\n", generated.c_str());
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  std::printf("%s: %zu tokens, %s\n", path.c_str(), result.ids.size(), byte_text(bytes).c_str());
}

void run(CaptureRequest options, const CommonOptions& common) {
  options.generation.device = common.device;
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());

  const Generator generator(options.generation);
  print_warning(generator.prompt);
  const CapturePlan plan = capture_plan(options, generator);
  if (!common.quiet) {
    std::fprintf(stderr, "%s: %lld tokens of %s, attention %s, about %s\n", options.output.c_str(),
                 static_cast<long long>(plan.max_tokens), plan.info.model_name.c_str(),
                 std::string(name_of(plan.info.profile)).c_str(),
                 byte_text(predicted_capture_bytes(plan)).c_str());
    if (common.device == "cuda") print_forecast(plan);
  }
  const double opened = total.seconds();
  const CaptureOutcome made = make_capture(options, generator, plan, {"qaq", command_line()}, work);
  const Generation& result = made.generation;
  const Seconds seconds{.load = opened + made.load, .write = made.write, .total = total.seconds()};
  const std::string generated = generated_text(result, *generator.tokenizer);
  if (common.json) {
    report_json(options, plan, result, generated, seconds);
  } else {
    report_text(options.output, result, generated);
  }
}

}  // namespace

void add_capture(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<CaptureRequest>();
  CLI::App* command = program.add_subcommand(
      "capture", "Run a model and keep its queries, keys, values, attention and logits");
  add_generation_flags(*command, options->generation);
  command->add_option("--layers", options->layers, "Layers to keep, as in 0-3,14 (default: all)");
  command->add_option(
      "--attention", options->attention,
      "full, window:N (last N rows), derive (recompute from queries and keys) or none"
      " (default: full, derive above 2 GB)");
  add_dtype_flag(*command, options->generation.dtype,
                 "Numbers in the file, and on CUDA of weights and cache: f32, f16 or bf16");
  command->add_flag("--no-queries", options->no_queries, "Leave the queries out");
  command->add_option("-o,--output", options->output, "The capture file to write")->required();
  command->footer(
      "Examples:\n"
      "  qaq capture --model smollm2-135m --prompt \"The lighthouse keeper\" --generate 64 -o "
      "story.h5\n"
      "  qaq capture --model model.gguf --prompt-file book.txt --attention window:64 --dtype f16 "
      "-o book.h5");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
