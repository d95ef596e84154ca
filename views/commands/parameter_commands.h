#pragma once

#include <QCoreApplication>

#include "views/commands/command_registry.h"
#include "views/commands/palette_search.h"
#include "views/commands/parameter_edits.h"
#include "views/models/presets.h"

namespace qaq::views {

/// The commands that change parameters, by name, and that undo it (menu "edit"), and those that
/// replay (menu "run"). Also "window = 8" as a line.
class ParameterCommands {
  Q_DECLARE_TR_FUNCTIONS(ParameterCommands)

 public:
  static void addEdits(CommandRegistry& registry, ParameterEdits& edits, Workspace& workspace);
  static void addPresets(CommandRegistry& registry, ParameterEdits& edits, Workspace& workspace,
                         const Presets& presets);
  static void addRuns(CommandRegistry& registry, Workspace& workspace);
  /// Parameters by name or word, with the value that was typed or those that there are.
  static PaletteSearch::Source parameters(const Workspace& workspace);

 private:
  static void addPolicy(CommandRegistry& registry, ParameterEdits& edits, Workspace& workspace);
  static void addUndo(CommandRegistry& registry, ParameterEdits& edits);
};

}  // namespace qaq::views
