#pragma once

namespace qaq::views {

class CommandRegistry;
class MainWindow;

/// Commands that write what is on the screen: the dialog, a view or page into a file by name, the
/// rows of a view, a picture onto the clipboard.
void addExportCommands(CommandRegistry& registry, MainWindow& window);

}  // namespace qaq::views
