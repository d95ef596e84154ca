#pragma once

namespace qaq::views {

class CommandRegistry;
class MainWindow;

/// Commands that arrange the window: named layouts and the built-in one, pages of one's own,
/// presentation mode.
void addLayoutCommands(CommandRegistry& registry, MainWindow& window);

}  // namespace qaq::views
