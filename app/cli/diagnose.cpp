#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/diagnose_report.h"
#include "app/cli/dtype_flag.h"
#include "app/cli/printable.h"
#include "app/cli/prompt_flags.h"
#include "app/cli/prune_flag.h"
#include "app/cli/replay_flags.h"
#include "app/wiring/inputs.h"
#include "app/wiring/model_diagnosis.h"
#include "core/analysis/capture_diagnosis.h"
#include "core/analysis/diagnosis.h"
#include "core/analysis/diagnosis_report.h"
#include "core/analysis/row_table.h"
#include "core/base/error.h"
#include "core/base/shell.h"
#include "core/base/text.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"

namespace qaq::cli {
namespace {

struct DiagnoseCommand {
  ReplayFlags replay;  ///< its capture is empty with --model
  std::string model;
  double prune_weights = 0;
  PromptSource prompt;
  std::string continuation, continuation_file;
  std::int64_t n_generate = 32;
  bool ignore_eos = false;
  std::optional<std::int64_t> step;
  double coin_flip_margin = DiagnosisOptions{}.coin_flip_margin;
  bool heads = false;
  DType dtype = DType::f32;
  std::string output;

  bool has_prompt() const {
    return !prompt.text.empty() || !prompt.file.empty() || !prompt.tokens_file.empty();
  }
  bool has_continuation() const { return !continuation.empty() || !continuation_file.empty(); }
};

DiagnosedText given(const DiagnoseCommand& options, const Tokenizer& tokenizer,
                    const std::vector<std::int32_t>& prompt) {
  const std::string text = options.continuation_file.empty()
                               ? checked_text("--continuation", options.continuation)
                               : read_text_file(options.continuation_file);
  DiagnosedText out{.ids = prompt, .n_prompt = std::ssize(prompt)};
  const auto following = tokenizer.encode(text, !options.prompt.no_special);
  out.ids.insert(out.ids.end(), following.begin(), following.end());
  return out;
}

// The flags that name the prompt, for commands that make the same again.
std::string prompt_words(const PromptSource& prompt) {
  const auto name = [](const std::string& path) {
    return shell_word(path.substr(path.rfind('/') + 1));
  };
  if (!prompt.file.empty()) return "--prompt-file " + name(prompt.file);
  if (!prompt.tokens_file.empty()) return "--tokens " + name(prompt.tokens_file);
  return "--prompt " + shell_word(prompt.text);
}

std::vector<std::string> commands_of(const DiagnoseCommand& options, const Diagnosis& diagnosis) {
  std::vector<std::string> out{command_line()};
  if (diagnosis.cells.empty()) return out;
  const std::string chat = options.prompt.chat ? " --chat" : "";
  const std::string model = options.model.substr(options.model.rfind('/') + 1);
  const std::string pruned = options.prune_weights > 0
                                 ? cat(" --prune-weights ", number_text(options.prune_weights))
                                 : std::string();
  out.push_back(cat("qaq capture --model ", shell_word(model), pruned, " ",
                    prompt_words(options.prompt), chat, " -o prompt.h5"));
  const CellAddress& cell = diagnosis.cells.front().cell;
  std::string setting;
  if (!options.replay.preset.empty()) setting += " --preset " + shell_word(options.replay.preset);
  for (const std::string& each : options.replay.assignments)
    setting += " --set " + shell_word(each);
  out.push_back(explain_command("prompt.h5", cell, setting));
  return out;
}

void print_diagnosis(const Diagnosis& diagnosis, const DiagnosisSubject& subject) {
  for (const std::string& line : diagnosis_lines(diagnosis, subject)) {
    std::printf("%s\n", printable(line, 2000).c_str());
  }
}

void run_model(const DiagnoseCommand& options, const CommonOptions& common,
               ConsoleProgress& progress, const Work& work) {
  const Stopwatch total;
  const ScopeParams params = options.replay.qaq_params("qaq diagnose");
  const auto model = open_model_named(options.model, options.prune_weights, work);
  const auto tokenizer = make_tokenizer(*model);
  const Prompt prompt = read_prompt(options.prompt, *model, *tokenizer,
                                    options.has_continuation() ? 1 : options.n_generate);
  print_warning(prompt);
  const DiagnosedText text =
      options.has_continuation()
          ? given(options, *tokenizer, prompt.ids)
          : greedy_text(model, prompt.ids, params.qaq,
                        {options.n_generate, options.ignore_eos, options.dtype}, work);
  if (text.n_following() == 0) {
    refuse_input({.file = options.has_continuation() ? "--continuation" : "--prompt",
                  .what = "nothing follows the prompt: there is no prediction to explain",
                  .cure = "give a continuation, or --ignore-eos"});
  }
  const double generating = total.seconds();
  // What was loaded for the continuation is told already.
  const Work loading = options.has_continuation() ? work : Work(nullptr, work.stop_token());
  const auto run = open_mixed_run(model, text, options.dtype, loading, work);
  const std::vector<double> bias_norms = key_bias_norms(*model);
  const DiagnosisOptions how{.params = params.qaq,
                             .violation = params.violation,
                             .coin_flip_margin = options.coin_flip_margin,
                             .step = options.step,
                             .key_bias_norms = bias_norms,
                             .own_text_parts = text.own_parts};
  Diagnosis diagnosis = diagnose(*run, how, work);
  if (options.heads) add_head_kl(*run, how, diagnosis, work);
  const DiagnosisSubject subject{model->spec().name, prompt.text,
                                 [&](std::int32_t id) { return tokenizer->piece(id); },
                                 commands_of(options, diagnosis)};
  if (!options.output.empty()) write_diagnosis(options.output, diagnosis, subject, progress, work);
  if (!common.json) {
    print_diagnosis(diagnosis, subject);
    return;
  }
  nlohmann::ordered_json document{{"model", subject.model},
                                  {"mode", name_of(RunMode::in_the_model)},
                                  {"dtype", name_of(options.dtype)},
                                  {"policy", params.policy},
                                  {"parameters", parameters_json(list_parameters(params))},
                                  {"prompt", prompt.text},
                                  {"prompt_tokens", text.n_prompt}};
  document.update(diagnosis_json(diagnosis, subject));
  if (!options.output.empty()) document["report"] = options.output;
  document["timing"] = {{"generate", generating}, {"total", total.seconds()}};
  print_json(document);
}

void print_capture(const CaptureInfo& info, const CaptureDiagnosis& diagnosis) {
  std::printf(
      "%s: ranked by errors of scores and outputs alone, %s; KL, flips and the proof of a "
      "cause need --model\n",
      printable(info.name).c_str(),
      diagnosis.in_sample
          ? "of rows inside the prefix (in-sample)"
          : cat("of rows behind the first ", diagnosis.prefix, " tokens, which are quantized")
                .c_str());
  std::printf("  %-8s %-6s %14s %14s\n", "layer", "head", "output error", "score error");
  for (std::size_t i = 0; i < std::min<std::size_t>(10, diagnosis.heads.size()); ++i) {
    const DiagnosedHead& head = diagnosis.heads[i];
    std::printf("  %-8d %-6lld %14s %14s\n", head.layer, static_cast<long long>(head.head),
                short_text(head.output_error).c_str(), short_text(head.attention_error).c_str());
  }
  std::printf("  cells that change the output of token %lld most, each alone:\n",
              static_cast<long long>(diagnosis.position));
  for (const DiagnosedCell& cell : diagnosis.cells) {
    const auto token = static_cast<std::size_t>(cell.cell.token);
    const std::string text = token < info.token_text.size() ? info.token_text[token] : "";
    std::printf(
        "  %-5s layer %d, KV head %lld, token %lld \"%s\": changes outputs by %s, "
        "%d bits, %d wanted\n",
        name_of(cell.cell.side), static_cast<int>(cell.cell.layer),
        static_cast<long long>(cell.cell.kv_head), static_cast<long long>(cell.cell.token),
        printable(text).c_str(), short_text(cell.score).c_str(), cell.n_bits, cell.wanted);
  }
}

void run_capture(const DiagnoseCommand& options, const CommonOptions& common, const Work& work) {
  for (const auto& [flag, is_given] :
       {std::pair{"-o", !options.output.empty()}, std::pair{"--step", options.step.has_value()},
        std::pair{"--heads", options.heads}, std::pair{"--prompt", options.has_prompt()},
        std::pair{"--continuation", options.has_continuation()}}) {
    if (!is_given) continue;
    refuse_usage({.place = flag,
                  .what = "needs a model: a capture alone ranks by errors of scores and outputs",
                  .cure = "give --model and a prompt instead of the capture"});
  }
  const Stopwatch total;
  const ScopeParams params = options.replay.qaq_params("qaq diagnose");
  const auto capture = open_capture(options.replay.capture, work);
  const CaptureInfo& info = capture->info();
  const CaptureDiagnosis diagnosis =
      diagnose_capture(*capture, {params.qaq, options.replay.prefix_of(info)}, work);
  if (!common.json) {
    print_capture(info, diagnosis);
    return;
  }
  nlohmann::ordered_json document{{"capture", options.replay.capture},
                                  {"mode", name_of(RunMode::batch)},
                                  {"policy", params.policy},
                                  {"parameters", parameters_json(list_parameters(params))}};
  document.update(capture_diagnosis_json(diagnosis));
  document["needs_model"] = {"kl", "flips", "causes"};
  document["timing"] = {{"total", total.seconds()}};
  print_json(document);
}

void run(const DiagnoseCommand& options, const CommonOptions& common) {
  require_device(common.device);
  if (options.replay.capture.empty() == options.model.empty()) {
    refuse_usage({.place = "qaq diagnose",
                  .what = options.model.empty() ? "has nothing to diagnose"
                                                : "takes a capture or a model, not both",
                  .cure = "give a capture, or --model and a prompt"});
  }
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  if (options.model.empty()) {
    run_capture(options, common, work);
    return;
  }
  if (!options.has_prompt()) {
    refuse_usage({.place = "--model",
                  .what = "needs a prompt",
                  .cure = "give --prompt, --prompt-file or --tokens"});
  }
  if (options.replay.prefix != 0) {
    refuse_usage({.place = "--prefix",
                  .what = "goes with a capture: with a model the prompt is the prefix",
                  .cure = "leave it out"});
  }
  if (!options.output.empty()) check_report_name("-o", options.output);
  run_model(options, common, progress, work);
}

}  // namespace

void add_diagnose(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<DiagnoseCommand>();
  CLI::App* command = program.add_subcommand(
      "diagnose", "Say which prediction a quantized cache breaks, where and why");
  add_replay_flags(*command, options->replay);
  command->get_option("capture")->required(false);
  command->add_option("--model", options->model, "Model: a known name, a file or a folder");
  add_prune_flag(*command, options->prune_weights)->needs("--model");
  add_prompt_flags(*command, options->prompt);
  command->get_option_group("prompt")->require_option(0, 1);
  auto* text = command->add_option("--continuation", options->continuation,
                                   "The text behind the prompt whose predictions are held against "
                                   "each other; default: the whole cache's greedy text");
  auto* file = command
                   ->add_option("--continuation-file", options->continuation_file,
                                "A UTF-8 file that holds it")
                   ->excludes(text);
  command->add_option("--generate", options->n_generate, "Tokens of that greedy text")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24))
      ->excludes(text)
      ->excludes(file)
      ->capture_default_str();
  command->add_flag("--ignore-eos", options->ignore_eos, "Go on behind end tokens");
  command
      ->add_option("--step", options->step,
                   "Which prediction behind the prompt to explain, from 0; default: the first "
                   "that diverged, else that of the largest KL")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 24));
  command
      ->add_option("--coin-flip-margin", options->coin_flip_margin,
                   "A changed token is a coin-flip where the whole cache's two largest logits are "
                   "nearer than this")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command->add_flag("--heads", options->heads,
                    "Leave each KV head of the cache to blame exact by itself, too: KL head by "
                    "head, for layers x KV heads more replays (twice that where both are)");
  add_dtype_flag(*command, options->dtype, kCacheDtypeHelp);
  command
      ->add_option("-o,--output", options->output,
                   "Write a report: HTML, pictures in it, or Markdown, pictures beside it")
      ->type_name("REPORT.html|REPORT.md");
  command->footer(
      "Parameters of --set: see qaq replay --help.\n"
      "With a capture alone, cells are ranked by errors of scores and outputs; KL, flips and the\n"
      "proof of a cause need the model.\n"
      "Examples:\n"
      "  qaq diagnose --model smollm2-135m --prompt-file story.txt --set n_bits_max=2 -o why.html\n"
      "  qaq diagnose --model smollm2-135m --prompt \"The capital of France is\" --continuation \" "
      "Paris.\" --preset paper --json\n"
      "  qaq diagnose --model llama-folder --tokens ids.json --step 7 -o why.md\n"
      "  qaq diagnose story.h5 --preset paper");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
