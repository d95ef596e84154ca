#pragma once

#include "app/scope/options.h"
#include "views/models/presets.h"

namespace qaq::views {
class MainWindow;
}  // namespace qaq::views

namespace qaq::scope {

/// `qaq-scope [FILE] [--compare FILE]`: the window of a capture or a session, or with --screenshot
/// a picture of it.
struct WindowOptions {
  Options common;
  std::string file;      ///< a capture, or by its ending .qaqsession a session; empty: none
  std::string compare;   ///< B, FILE or FILE#RUN, where `file` is A; empty: nothing is compared
  bool restore = false;  ///< take back what a window left that ended without closing
  std::string screenshot;
  std::string cell;                   ///< key|value,LAYER,KV_HEAD,TOKEN[,STEP] to lock
  std::vector<std::string> commands;  ///< to run in the window, one after the other
  bool listCommands = false;
  bool json = false;  ///< of the list
};

/// The flags of the window. --json belongs to --list-commands.
void addWindow(CLI::App& program, WindowOptions& options);

/// Returns the exit code. Needs a QApplication. Throws Error.
int runWindow(const WindowOptions& options);

/// The presets that the program comes with, for the window.
views::Presets bundledPresets();

/// Lets a window work until nothing is left to do.
void settle(views::MainWindow& window);

/// `qaq-scope --list-commands`: what --do takes. Needs a QApplication.
void listCommands(const WindowOptions& options);

}  // namespace qaq::scope
