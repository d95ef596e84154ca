#pragma once

#include <QCoreApplication>

#include "views/commands/command_registry.h"
#include "views/commands/palette_search.h"
#include "views/models/workspace.h"

namespace qaq::views {

/// The commands that move the selection: layer, head, cache, query head, tokens to quantize, cell,
/// token by number or text, lock. Their menu is "go". Also "tok:412" and "tok:vessel" as lines.
class SelectionCommands {
  Q_DECLARE_TR_FUNCTIONS(SelectionCommands)

 public:
  static void add(CommandRegistry& registry, Workspace& workspace);
  /// Tokens by "tok:412", "tok:vessel" or a part of their text.
  static PaletteSearch::Source tokens(Workspace& workspace);

 private:
  static void addSteps(CommandRegistry& registry, Workspace& workspace);
  static void addPlaces(CommandRegistry& registry, Workspace& workspace);
  static void addPrefix(CommandRegistry& registry, Workspace& workspace);
  static void addTokens(CommandRegistry& registry, Workspace& workspace);
};

/// Why a command that needs a capture cannot run; empty: one is open.
QString needsCapture(const Workspace& workspace);

}  // namespace qaq::views
