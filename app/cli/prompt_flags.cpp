#include "app/cli/prompt_flags.h"

#include <cstdio>

namespace qaq::cli {

void add_prompt_flags(CLI::App& command, PromptSource& source) {
  auto* prompt = command.add_option_group("prompt");
  prompt->add_option("--prompt", source.text, "The text to run");
  prompt->add_option("--prompt-file", source.file, "A UTF-8 file that holds the text");
  auto* tokens = prompt->add_option("--tokens", source.tokens_file,
                                    "A file of token ids: spaced, or a JSON list");
  prompt->require_option(1);
  auto* chat = command.add_flag("--chat", source.chat,
                                "The text is a message: set it into the model's chat template");
  chat->excludes(tokens);
  command.add_option("--system", source.system, "With --chat: the system's message before it")
      ->needs(chat);
  command
      .add_flag("--no-special", source.no_special, "Read the text of special tokens as plain text")
      ->excludes(chat);
}

void print_warning(const Prompt& prompt) {
  if (prompt.warning.empty()) return;
  std::fprintf(stderr, "qaq: warning: %s\n", prompt.warning.c_str());
}

}  // namespace qaq::cli
