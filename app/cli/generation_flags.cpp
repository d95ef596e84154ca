#include "app/cli/generation_flags.h"

#include <algorithm>

#include "app/cli/prompt_flags.h"
#include "app/cli/prune_flag.h"

namespace qaq::cli {
namespace {

// "top_k" -> "--top-k": flags and parameters have the same names.
std::string flag_of(const Parameter& parameter) {
  std::string flag = "--" + parameter.name;
  std::ranges::replace(flag, '_', '-');
  return flag;
}

}  // namespace

void add_generation_flags(CLI::App& command, GenerationOptions& options) {
  command.add_option("--model", options.model, "Model: a known name, a file or a folder")
      ->required();
  add_prompt_flags(command, options.prompt);
  command.add_option("--generate", options.n_generate, "Tokens to generate after the prompt")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 24))
      ->capture_default_str();
  command.add_flag("--ignore-eos", options.ignore_eos, "Go on behind end tokens");
  command.add_option("--stop", options.stop_ids, "Ids of further tokens that end the text")
      ->type_name("ID");
  for (const Parameter& parameter : list_parameters(options.sampling)) {
    command
        .add_option_function<std::string>(
            flag_of(parameter),
            [&options, name = parameter.name](const std::string& text) {
              set_parameter(options.sampling, name, text);
            },
            std::string(parameter.info.help))
        ->type_name(parameter.kind == ParameterKind::integer ? "INT" : "FLOAT")
        ->default_str(value_text(parameter.value));
  }
  command
      .add_option("--weights", options.weights,
                  "stored: as the file holds them; f32: dequantized once (more memory)")
      ->check(CLI::IsMember({"stored", "f32"}))
      ->capture_default_str();
  add_prune_flag(command, options.prune_weights);
}

}  // namespace qaq::cli
