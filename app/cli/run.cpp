#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/decode_policy.h"
#include "app/cli/dtype_flag.h"
#include "app/cli/generation_flags.h"
#include "app/cli/prompt_flags.h"
#include "app/cli/replay_flags.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/stream_decoder.h"

namespace qaq::cli {
namespace {

/// Writes text to standard output as it comes, and ends its line whatever happens.
class TextStream {
 public:
  explicit TextStream(const Tokenizer& tokenizer) : decoder_(tokenizer, /*at_beginning=*/false) {}
  ~TextStream() {
    if (!ended_) end();
  }
  void push(std::int32_t id) { write(decoder_.push(id)); }
  void end() {
    ended_ = true;
    write(decoder_.finish() + "\n");
  }

 private:
  static void write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  StreamDecoder decoder_;
  bool ended_ = false;
};

struct Seconds {
  double load = 0;
  double total = 0;
};

void print_rates(const Generation& result) {
  std::fprintf(stderr, "%lld prompt tokens, %.1f tokens/s; %lld generated, %.1f tokens/s\n",
               static_cast<long long>(result.n_prompt), result.prefill_rate(),
               static_cast<long long>(result.n_generated()), result.decode_rate());
}

nlohmann::ordered_json document(const Generator& generator, const Generation& result,
                                const Seconds& seconds) {
  return {{"model", generator.model->spec().name},
          {"prompt", generator.prompt.text},
          {"text", generated_text(result, *generator.tokenizer)},
          {"ids", result.generated()},
          {"prompt_tokens", result.n_prompt},
          {"generated_tokens", result.n_generated()},
          {"generation", generation_json(generator.options)},
          {"prefill_tokens_per_second", result.prefill_rate()},
          {"decode_tokens_per_second", result.decode_rate()},
          {"timing",
           {{"load", seconds.load},
            {"prefill", result.prefill},
            {"decode", result.decode},
            {"total", seconds.total}}}};
}

// A model that continues its prompt, with the whole cache or on a quantized one.
struct Continuation {
  Continuation(const Generator& prompt, const std::optional<DecodePolicy>& policy, const Work& work)
      : generator(prompt) {
    if (policy) {
      decoder = generator.open_decoder(*policy, work);
    } else {
      engine = generator.open_engine(work, /*tapped=*/false);
    }
  }
  Generation run(const std::function<void(std::int32_t)>& on_token, const Work& work) const {
    return decoder ? generate(generator, *decoder, on_token, work)
                   : generate(generator, *engine, {.on_token = on_token}, work);
  }

  const Generator& generator;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<PolicyDecoder> decoder;
};

void run(GenerationOptions options, const DecodePolicyFlags& flags, const CommonOptions& common) {
  options.device = common.device;
  const auto policy = decode_policy_of(flags, dtype_of(options));
  if (!policy && options.device == "cpu" && options.dtype.value_or(DType::f32) != DType::f32) {
    refuse_usage({.place = cat("--dtype ", name_of(*options.dtype)),
                  .what = "the CPU computes in f32",
                  .cure = "leave it out, or run with --device cuda"});
  }
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  const Generator generator(options);
  print_warning(generator.prompt);
  const Continuation continuation(generator, policy, work);
  const double load = total.seconds();

  if (common.json) {
    const Generation result = continuation.run({}, work);
    auto json = document(generator, result, {load, total.seconds()});
    if (policy) json["cache"] = cache_json(*policy, continuation.decoder->figures());
    print_json(json);
    return;
  }
  TextStream text(*generator.tokenizer);
  const Generation result = continuation.run([&](std::int32_t id) { text.push(id); }, work);
  text.end();
  if (common.quiet) return;
  print_rates(result);
  if (policy) print_cache(*policy, continuation.decoder->figures());
}

}  // namespace

void add_run(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<GenerationOptions>();
  auto policy = std::make_shared<DecodePolicyFlags>();
  options->n_generate = 128;
  CLI::App* command = program.add_subcommand("run", "Continue a text, printed as it comes");
  add_generation_flags(*command, *options);
  add_decode_policy_flags(*command, *policy);
  add_dtype_flag(*command, options->dtype,
                 "On CUDA: numbers of weights and cache; with --policy: of the cache that is "
                 "quantized, outliers among them");
  command->footer(
      "Examples:\n"
      "  qaq run --model smollm2-135m --chat --prompt \"Why is the sky blue?\"\n"
      "  qaq run --model smollm2-135m --prompt \"The lighthouse keeper\" --temperature 0.8 "
      "--top-p 0.95 --seed 7\n"
      "  qaq run --model llama-folder --prompt-file question.txt --generate 500 --json\n"
      "  qaq run --device cuda --dtype bf16 --model llama-folder --prompt \"Once upon a time\"\n"
      "  qaq run --model smollm2-135m --prompt \"The lighthouse keeper\" --policy qaq --set "
      "n_bits_max=4\n"
      "  qaq run --model llama-folder --prompt-file question.txt --policy qaq --preset paper --set "
      "demote_patience=4 --json\n"
      "  qaq run --model llama-folder --prompt-file question.txt --policy kivi --set k_bits=4\n\n" +
      decode_parameter_help() + rival_help());
  command->callback([options, policy, &common] { run(*options, *policy, common); });
}

}  // namespace qaq::cli
