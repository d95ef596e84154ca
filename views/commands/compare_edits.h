#pragma once

#include <functional>
#include <optional>

#include "views/models/reference.h"

class QUndoStack;

namespace qaq::views {

class Workspace;

/// Holds what is shown against `reference`, or against nothing, as a step that can be undone.
void chooseReference(QUndoStack& stack, Workspace& workspace,
                     const std::optional<Reference>& reference);
/// Exchanges what is shown and what it is held against, as a step that can be undone. `label` says
/// what is shown, whenever it is asked.
void swapCompared(QUndoStack& stack, Workspace& workspace, std::function<QString()> label);

}  // namespace qaq::views
