#pragma once

#include <CLI/CLI.hpp>

#include "app/wiring/prompt.h"

namespace qaq::cli {

/// Adds --prompt, --prompt-file, --tokens, --chat, --system and --no-special.
void add_prompt_flags(CLI::App& command, PromptSource& source);
/// The prompt's warning, if it has one, on standard error.
void print_warning(const Prompt& prompt);

}  // namespace qaq::cli
