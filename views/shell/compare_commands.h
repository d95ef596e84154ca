#pragma once

namespace qaq::views {

class CommandRegistry;
class MainWindow;

/// Commands that hold what is shown, B, against something else, A.
void addCompareCommands(CommandRegistry& registry, MainWindow& window);

}  // namespace qaq::views
