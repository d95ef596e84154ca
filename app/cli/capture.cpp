#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/dtype_flag.h"
#include "app/cli/generation.h"
#include "app/cli/inputs.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/engine/backend.h"
#include "data/capture/capture_writer.h"
#include "data/capture/profile_name.h"

namespace qaq::cli {
namespace {

// Above this size the scores are left out and derived when asked for (they grow with T^2).
constexpr std::int64_t kDeriveAbove = 2'000'000'000;

struct CaptureOptions {
  GenerationOptions generation;
  std::string layers;
  std::string attention = "auto";
  DType dtype = DType::f32;
  std::string output;
  bool no_queries = false;
};

void set_attention(CapturePlan& plan, const std::string& text) {
  const auto refuse = [&] {
    refuse_usage({.place = "--attention",
                  .what = cat("'", text, "' is no attention profile"),
                  .cure = "choose full, window:N, derive or none"});
  };
  plan.info.profile = AttentionProfile::full;
  if (text == "auto") {
    if (predicted_capture_bytes(plan) > kDeriveAbove) plan.info.profile = AttentionProfile::derive;
  } else if (text == "derive") {
    plan.info.profile = AttentionProfile::derive;
  } else if (text == "none") {
    plan.info.profile = AttentionProfile::none;
  } else if (text.starts_with("window:")) {
    plan.info.profile = AttentionProfile::window;
    try {
      plan.attention_window = std::stoll(text.substr(7));
    } catch (const std::exception&) {
      refuse();
    }
    if (plan.attention_window < 1) refuse();
  } else if (text != "full") {
    refuse();
  }
  if (plan.info.profile == AttentionProfile::derive && !plan.info.has_queries) {
    refuse_usage({.place = "--no-queries",
                  .what = "attention cannot be derived without queries",
                  .cure = "leave out --no-queries, or capture with --attention full"});
  }
}

CapturePlan make_plan(const CaptureOptions& options, const Generator& generator) {
  const ModelSpec& spec = generator.model->spec();
  const Tokenizer& tokenizer = *generator.tokenizer;
  CapturePlan plan;
  CaptureInfo& info = plan.info;
  info.model_name = spec.name;
  info.architecture = spec.architecture;
  info.model_sha256 = generator.model->sha256();
  info.weights_dtype = spec.weights_dtype;
  info.config_json = spec.config_json;
  info.rope_theta = spec.rope.theta;
  info.shape = spec.shape;
  info.attention_windows.assign(spec.attention_windows.begin(), spec.attention_windows.end());
  if (options.layers.empty()) {
    for (std::int32_t layer = 0; layer < spec.shape.n_layers; ++layer) info.layers.push_back(layer);
  } else {
    info.layers = parse_layers(options.layers, spec.shape.n_layers);
  }
  info.n_prompt = std::ssize(generator.prompt.ids);
  info.prompt_text = generator.prompt.text;
  info.special_ids = tokenizer.special_ids();
  info.dtype = options.dtype;
  info.has_queries = !options.no_queries;
  info.creator = cat("qaq ", program_version());
  info.created_utc = utc_now();
  info.command_line = command_line();
  plan.tokenizer_kind = tokenizer.kind();
  plan.tokenizer_sha256 = tokenizer.sha256();
  plan.max_tokens = info.n_prompt + generator.options.n_generate;
  plan.may_end_early = generator.options.n_generate > 0 &&
                       (!generator.options.ignore_eos || !generator.options.stop_ids.empty());
  set_attention(plan, options.attention);
  return plan;
}

nlohmann::ordered_json provenance_of(const CaptureOptions& options, const CapturePlan& plan) {
  auto record = provenance();
  record["model"] = plan.info.model_name;
  record["model_sha256"] = plan.info.model_sha256;
  record["tokenizer_sha256"] = plan.tokenizer_sha256;
  record["prompt_sha256"] = sha256_hex(plan.info.prompt_text);
  record["dtype"] = name_of(options.dtype);
  record["generation"] = generation_json(options.generation);
  record["device"] = make_cpu_backend()->info().name;
  record["started_utc"] = plan.info.created_utc;
  record["ended_utc"] = utc_now();
  return record;
}

struct Seconds {
  double load = 0;
  double write = 0;
  double total = 0;
};

void report_json(const CaptureOptions& options, const CapturePlan& plan, const Generation& result,
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
              {"dtype", name_of(options.dtype)},
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

CaptureTokens tokens_of(const std::vector<std::int32_t>& ids, const Tokenizer& tokenizer) {
  CaptureTokens tokens{.ids = ids, .text = {}, .bytes = {}};
  for (const std::int32_t id : ids) {
    tokens.text.push_back(tokenizer.piece(id));
    tokens.bytes.push_back(tokenizer.bytes(id));
  }
  return tokens;
}

void run(const CaptureOptions& options, const CommonOptions& common) {
  require_device(common.device);
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());

  const Generator generator(options.generation);
  const CapturePlan plan = make_plan(options, generator);
  if (!common.quiet) {
    std::fprintf(stderr, "%s: %lld tokens of %s, attention %s, about %s\n", options.output.c_str(),
                 static_cast<long long>(plan.max_tokens), plan.info.model_name.c_str(),
                 std::string(name_of(plan.info.profile)).c_str(),
                 byte_text(predicted_capture_bytes(plan)).c_str());
  }
  const auto engine = generator.open_engine(work);
  Seconds seconds{.load = total.seconds()};
  const auto writer = CaptureWriter::create(options.output, plan);
  const Generation result = generate(generator, *engine, {.taps = writer.get()}, work);

  const Stopwatch finish;
  writer->finish(tokens_of(result.ids, *generator.tokenizer), provenance_of(options, plan).dump());
  seconds.write = result.write + finish.seconds();
  seconds.total = total.seconds();
  const std::string generated = generated_text(result, *generator.tokenizer);
  if (common.json) {
    report_json(options, plan, result, generated, seconds);
  } else {
    report_text(options.output, result, generated);
  }
}

}  // namespace

void add_capture(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<CaptureOptions>();
  CLI::App* command = program.add_subcommand(
      "capture", "Run a model and keep its queries, keys, values, attention and logits");
  add_generation_flags(*command, options->generation);
  command->add_option("--layers", options->layers, "Layers to keep, as in 0-3,14 (default: all)");
  command->add_option(
      "--attention", options->attention,
      "full, window:N (last N rows), derive (recompute from queries and keys) or none"
      " (default: full, derive above 2 GB)");
  add_dtype_flag(*command, options->dtype, "Numbers in the file: f32, f16 or bf16");
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
