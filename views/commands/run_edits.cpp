#include "views/commands/run_edits.h"

#include <QUndoStack>

#include "views/models/run_list.h"
#include "views/plots/run_label.h"

namespace qaq::views {
namespace {

class RemoveRun : public QUndoCommand {
 public:
  RemoveRun(RunList& runs, int index)
      : QUndoCommand(RunList::tr("Take run “%1” off the list")
                         .arg(runLabel(runs.runs().at(static_cast<std::size_t>(index)).summary))),
        m_runs(runs),
        m_index(index) {}

  void redo() override { m_removed = m_runs.remove(m_index); }
  void undo() override { m_runs.insert(m_index, m_removed); }

 private:
  RunList& m_runs;
  int m_index;
  RunList::Run m_removed;
};

/// By the setting, not by the place: other runs come in between.
class RenameRun : public QUndoCommand {
 public:
  RenameRun(RunList& runs, int index, const QString& name)
      : QUndoCommand(RunList::tr("Rename run “%1”")
                         .arg(runLabel(runs.runs().at(static_cast<std::size_t>(index)).summary))),
        m_runs(runs),
        m_run(runs.runs().at(static_cast<std::size_t>(index)).summary),
        m_before(QString::fromStdString(m_run.name)),
        m_after(name) {}

  void redo() override { rename(m_after); }
  void undo() override { rename(m_before); }

 private:
  void rename(const QString& name) {
    const std::vector<RunList::Run>& runs = m_runs.runs();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (same_setting(runs[i].summary, m_run)) return m_runs.rename(static_cast<int>(i), name);
    }
  }

  RunList& m_runs;
  RunSummary m_run;
  QString m_before, m_after;
};

}  // namespace

void removeRun(QUndoStack& stack, RunList& runs, int index) {
  stack.push(new RemoveRun(runs, index));
}

void renameRun(QUndoStack& stack, RunList& runs, int index, const QString& name) {
  const RunList::Run& run = runs.runs().at(static_cast<std::size_t>(index));
  if (name.trimmed() == runLabel(run.summary)) return;  // the editor was left as it was
  stack.push(new RenameRun(runs, index, name));
}

}  // namespace qaq::views
