#pragma once

#include <string>

#include "views/commands/command_registry.h"

namespace qaq::scope {

/// A line for each command: how it is written, its keys, its text.
std::string commandsText(const views::CommandRegistry& registry);
/// {"schema_version": 1, "commands": [{"id", "word", "text", "help", "menu", "shortcuts",
/// "arguments": [{"name", "help", "kind", "optional"}]}]}, with a line break at its end.
std::string commandsJson(const views::CommandRegistry& registry);

}  // namespace qaq::scope
