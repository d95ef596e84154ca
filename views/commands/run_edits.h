#pragma once

class QString;
class QUndoStack;

namespace qaq::views {

class RunList;

/// Takes a run off the list, as a step that can be undone.
void removeRun(QUndoStack& stack, RunList& runs, int index);
/// Gives a run another name, as a step that can be undone.
void renameRun(QUndoStack& stack, RunList& runs, int index, const QString& name);

}  // namespace qaq::views
