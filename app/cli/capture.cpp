#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/inputs.h"
#include "app/cli/prompt.h"
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
  std::string model;
  PromptSource prompt;
  std::string layers;
  std::string attention = "auto";
  std::string dtype = "f32";
  std::string output;
  std::int64_t generate = 0;
  bool ignore_eos = false;
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

/// Passes taps on and counts the time that they take.
class TimedSink : public TapSink {
 public:
  explicit TimedSink(TapSink& inner) : inner_(inner) {}
  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override {
    return inner_.wants(what, layer, first_row, n_rows);
  }
  void put(const TapBlock& block) override {
    const Stopwatch watch;
    inner_.put(block);
    seconds_ += watch.seconds();
  }
  double seconds() const { return seconds_; }

 private:
  TapSink& inner_;
  double seconds_ = 0;
};

CapturePlan make_plan(const CaptureOptions& options, const ModelFile& model,
                      const Tokenizer& tokenizer, const Prompt& prompt) {
  const ModelSpec& spec = model.spec();
  CapturePlan plan;
  CaptureInfo& info = plan.info;
  info.model_name = spec.name;
  info.architecture = spec.architecture;
  info.model_sha256 = model.sha256();
  info.weights_dtype = spec.weights_dtype;
  info.config_json = spec.config_json;
  info.rope_theta = spec.rope.theta;
  info.shape = spec.shape;
  if (options.layers.empty()) {
    for (std::int32_t layer = 0; layer < spec.shape.n_layers; ++layer) info.layers.push_back(layer);
  } else {
    info.layers = parse_layers(options.layers, spec.shape.n_layers);
  }
  info.n_prompt = static_cast<std::int64_t>(prompt.ids.size());
  info.prompt_text = prompt.text;
  info.special_ids = tokenizer.special_ids();
  info.dtype =
      options.dtype == "f16" ? DType::f16 : (options.dtype == "bf16" ? DType::bf16 : DType::f32);
  info.has_queries = !options.no_queries;
  info.creator = cat("qaq ", program_version());
  info.created_utc = utc_now();
  info.command_line = command_line();
  plan.tokenizer_kind = tokenizer.kind();
  plan.tokenizer_sha256 = tokenizer.sha256();
  plan.max_tokens = info.n_prompt + options.generate;
  plan.may_end_early = options.generate > 0 && !options.ignore_eos;
  set_attention(plan, options.attention);
  return plan;
}

/// What one capture did, for the report.
struct CaptureRun {
  std::vector<std::int32_t> ids;
  std::int64_t n_prompt = 0;
  double load = 0, prefill = 0, decode = 0, write = 0, total = 0;  // seconds

  std::int64_t n_generated() const { return static_cast<std::int64_t>(ids.size()) - n_prompt; }
};

// Prefills the prompt and decodes until --generate or an end token; every tap goes to `taps`.
void run_model(const CaptureOptions& options, Engine& engine, TimedSink& taps, const Work& work,
               CaptureRun& run) {
  const Stopwatch prefill;
  engine.run(run.ids, &taps, work);
  const double prefill_write = taps.seconds();
  run.prefill = prefill.seconds() - prefill_write;

  const Stopwatch decode;
  const auto& ends = engine.spec().end_token_ids;
  const Work silent(nullptr, work.stop_token());  // progress in tokens here, not in layers of one
  for (std::int64_t step = 0; step < options.generate; ++step) {
    const std::int32_t next = engine.greedy_token();
    if (!options.ignore_eos && std::ranges::find(ends, next) != ends.end()) break;
    run.ids.push_back(next);
    engine.run({&run.ids.back(), 1}, &taps, silent);
    work.report({"decode", step + 1, options.generate, "tokens"});
  }
  run.decode = decode.seconds() - (taps.seconds() - prefill_write);
}

nlohmann::ordered_json provenance_of(const CaptureOptions& options, const CapturePlan& plan) {
  auto record = provenance();
  record["model"] = plan.info.model_name;
  record["model_sha256"] = plan.info.model_sha256;
  record["tokenizer_sha256"] = plan.tokenizer_sha256;
  record["prompt_sha256"] = sha256_hex(plan.info.prompt_text);
  record["dtype"] = options.dtype;
  record["device"] = make_cpu_backend()->info().name;
  record["started_utc"] = plan.info.created_utc;
  record["ended_utc"] = utc_now();
  return record;
}

void report(const CaptureOptions& options, const CapturePlan& plan, const CaptureRun& run,
            const std::string& generated, bool json) {
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(options.output));
  if (!json) {
    if (!generated.empty()) std::printf("%s\n", generated.c_str());
    std::printf("%s: %zu tokens, %s\n", options.output.c_str(), run.ids.size(),
                byte_text(bytes).c_str());
    return;
  }
  const auto rate = [](std::int64_t n, double seconds) {
    return seconds > 0 ? static_cast<double>(n) / seconds : 0.0;
  };
  print_json({{"capture", options.output},
              {"bytes", bytes},
              {"model", plan.info.model_name},
              {"n_layers", plan.info.layers.size()},
              {"n_tokens", run.ids.size()},
              {"prompt_tokens", run.n_prompt},
              {"generated_tokens", run.n_generated()},
              {"generated_text", generated},
              {"attention", name_of(plan.info.profile)},
              {"dtype", options.dtype},
              {"prefill_tokens_per_second", rate(run.n_prompt, run.prefill)},
              {"decode_tokens_per_second", rate(run.n_generated(), run.decode)},
              {"timing",
               {{"load", run.load},
                {"prefill", run.prefill},
                {"decode", run.decode},
                {"write", run.write},
                {"total", run.total}}}});
}

void run(const CaptureOptions& options, const CommonOptions& common) {
  require_device(common.device);
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());

  const auto model = open_model_named(options.model);
  const auto tokenizer = make_tokenizer(*model);
  Prompt prompt = read_prompt(options.prompt, *tokenizer, model->spec().shape, options.generate);
  const CapturePlan plan = make_plan(options, *model, *tokenizer, prompt);
  if (!common.quiet) {
    std::fprintf(stderr, "%s: %lld tokens of %s, attention %s, about %s\n", options.output.c_str(),
                 static_cast<long long>(plan.max_tokens), plan.info.model_name.c_str(),
                 std::string(name_of(plan.info.profile)).c_str(),
                 byte_text(predicted_capture_bytes(plan)).c_str());
  }

  CaptureRun run{.ids = std::move(prompt.ids), .n_prompt = plan.info.n_prompt};
  const auto engine = make_cpu_backend()->open(model, {plan.max_tokens, run.n_prompt}, work);
  run.load = total.seconds();
  const auto writer = CaptureWriter::create(options.output, plan);
  TimedSink taps(*writer);
  run_model(options, *engine, taps, work, run);

  const Stopwatch finish;
  CaptureTokens tokens{.ids = run.ids, .text = {}, .bytes = {}};
  for (const std::int32_t id : run.ids) {
    tokens.text.push_back(tokenizer->piece(id));
    tokens.bytes.push_back(tokenizer->bytes(id));
  }
  writer->finish(tokens, provenance_of(options, plan).dump());
  run.write = taps.seconds() + finish.seconds();
  run.total = total.seconds();
  const std::vector<std::int32_t> generated(run.ids.begin() + run.n_prompt, run.ids.end());
  report(options, plan, run, readable_text(*tokenizer, generated), common.json);
}

}  // namespace

void add_capture(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<CaptureOptions>();
  CLI::App* command = program.add_subcommand(
      "capture", "Run a model and keep its queries, keys, values, attention and logits");
  command->add_option("--model", options->model, "Model: a known name or a file")->required();
  auto* source = command->add_option_group("prompt");
  source->add_option("--prompt", options->prompt.text, "The text to run");
  source->add_option("--prompt-file", options->prompt.file, "A UTF-8 file that holds the text");
  source->add_option("--tokens", options->prompt.tokens_file,
                     "A file of token ids: spaced, or a JSON list");
  source->require_option(1);
  command
      ->add_option("--generate", options->generate, "Tokens to generate after the prompt, greedily")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 24))
      ->capture_default_str();
  command->add_flag("--ignore-eos", options->ignore_eos, "Go on behind end tokens");
  command->add_option("--layers", options->layers, "Layers to keep, as in 0-3,14 (default: all)");
  command->add_option(
      "--attention", options->attention,
      "full, window:N (last N rows), derive (recompute from queries and keys) or none"
      " (default: full, derive above 2 GB)");
  command->add_option("--dtype", options->dtype, "Numbers in the file: f32, f16 or bf16")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}))
      ->capture_default_str();
  command->add_flag("--no-queries", options->no_queries, "Leave the queries out");
  command->add_flag("--no-special", options->prompt.no_special,
                    "Read the text of special tokens as plain text");
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
