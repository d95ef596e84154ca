#include "views/commands/compare_edits.h"

#include <QUndoStack>
#include <utility>

#include "views/models/workspace.h"

namespace qaq::views {
namespace {

class ChooseReference : public QUndoCommand {
 public:
  ChooseReference(Workspace& workspace, const std::optional<Reference>& reference)
      : QUndoCommand(reference ? Workspace::tr("Compare with “%1”").arg(reference->label)
                               : Workspace::tr("Compare with nothing")),
        m_workspace(workspace),
        m_before(workspace.reference()),
        m_after(reference) {}

  void redo() override { m_workspace.setReference(m_after); }
  void undo() override { m_workspace.setReference(m_before); }

 private:
  Workspace& m_workspace;
  std::optional<Reference> m_before, m_after;
};

class Swap : public QUndoCommand {
 public:
  Swap(Workspace& workspace, std::function<QString()> label)
      : QUndoCommand(Workspace::tr("Swap A and B")),
        m_workspace(workspace),
        m_label(std::move(label)) {}

  void redo() override { m_workspace.swap(m_label()); }
  void undo() override { m_workspace.swap(m_label()); }

 private:
  Workspace& m_workspace;
  std::function<QString()> m_label;
};

}  // namespace

void chooseReference(QUndoStack& stack, Workspace& workspace,
                     const std::optional<Reference>& reference) {
  const auto& now = workspace.reference();
  const bool same = now && reference ? sameReference(*now, *reference) && workspace.isComparing()
                                     : !now && !reference;
  if (same) return;
  stack.push(new ChooseReference(workspace, reference));
}

void swapCompared(QUndoStack& stack, Workspace& workspace, std::function<QString()> label) {
  stack.push(new Swap(workspace, std::move(label)));
}

}  // namespace qaq::views
