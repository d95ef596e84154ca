#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/wiring/inputs.h"

namespace qaq::cli {
namespace {

struct TokenizeOptions {
  std::string model;
  std::string text;
  std::string file;
  bool no_special = false;
};

void run(const TokenizeOptions& options, const CommonOptions& common) {
  require_device(common.device);
  const auto tokenizer = open_tokenizer_named(options.model);
  const std::string text =
      options.file.empty() ? checked_text("--text", options.text) : read_text_file(options.file);
  const auto ids = tokenizer->encode(text, !options.no_special);
  std::vector<std::string> pieces;
  for (const std::int32_t id : ids) pieces.push_back(tokenizer->piece(id));
  if (common.json) {
    print_json({{"ids", ids}, {"pieces", pieces}, {"n_tokens", ids.size()}});
    return;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) std::printf("%8d  %s\n", ids[i], pieces[i].c_str());
}

}  // namespace

void add_tokenize(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command = program.add_subcommand("tokenize", "Text to token ids");
  command->add_option("--model", options->model, "Model: a known name or a file")->required();
  auto* source = command->add_option_group("text");
  source->add_option("--text", options->text, "The text");
  source->add_option("--file", options->file, "A UTF-8 file that holds the text");
  source->require_option(1);
  command->add_flag("--no-special", options->no_special,
                    "Read the text of special tokens as plain text");
  command->footer("Example:\n  qaq tokenize --model smollm2-135m --text \"Hello, world\" --json");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
