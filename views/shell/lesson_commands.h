#pragma once

namespace qaq::views {

class CommandRegistry;
class MainWindow;

/// Lessons: open one, its steps, "Show me", hand-out. None where the program has no lessons.
void addLessonCommands(CommandRegistry& registry, MainWindow& window);

}  // namespace qaq::views
