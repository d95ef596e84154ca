#pragma once

namespace qaq::views {

class CommandRegistry;
class MainWindow;

/// Commands of sessions, recent files and captures from a model, as far as the program offers them.
void addSessionCommands(CommandRegistry& registry, MainWindow& window);

}  // namespace qaq::views
