#pragma once

namespace qaq::views {

class CommandRegistry;
class MainWindow;

/// Commands that say with a model which predictions a setting breaks.
void addDiagnosisCommands(CommandRegistry& registry, MainWindow& window);

}  // namespace qaq::views
