#include "views/commands/parameter_edits.h"

#include <QUndoCommand>
#include <set>

namespace qaq::views {
namespace {

constexpr int kStepsOfParameters = 1;  // QUndoCommand::id()

struct Change {
  Parameter before;
  ParameterValue after;
};

QString stepText(const QString& what, const std::string& before, const std::string& after) {
  return QStringLiteral("%1 %2 → %3")
      .arg(what, QString::fromStdString(before), QString::fromStdString(after));
}

std::vector<Change> changesOf(const ScopeParams& before, const ScopeParams& after) {
  const auto old = list_parameters(before), now = list_parameters(after);
  std::vector<Change> changes;
  if (before.policy != after.policy) return changes;
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (old[i].value != now[i].value) changes.push_back({old[i], now[i].value});
  }
  return changes;
}

/// Without sections: linked editors change both caches, of which one may have had the value.
std::set<std::string_view> bareNames(const ScopeParams& before, const ScopeParams& after) {
  std::set<std::string_view> names;
  if (before.policy != after.policy) names.insert("policy");
  for (const Change& change : changesOf(before, after)) names.insert(change.before.info.name);
  return names;
}

}  // namespace

QString changeText(const ScopeParams& before, const ScopeParams& after) {
  if (before.policy != after.policy) {
    return stepText(ParameterEdits::tr("policy"), before.policy, after.policy);
  }
  const std::vector<Change> changes = changesOf(before, after);
  if (changes.empty()) return {};
  const Change& first = changes.front();
  const bool alike = changes.size() == 2 && changes[1].before.info.name == first.before.info.name &&
                     changes[1].before.value == first.before.value &&
                     changes[1].after == first.after;
  if (changes.size() > 1 && !alike) {
    return ParameterEdits::tr("%1 parameters").arg(changes.size());
  }
  const std::string name = alike ? std::string(first.before.info.name) : first.before.name;
  return stepText(QString::fromStdString(name), value_text(first.before.value),
                  value_text(first.after));
}

/// From one setting to another.
class ParameterEdits::Step : public QUndoCommand {
 public:
  Step(ParameterEdits* edits, const ScopeParams& before, const ScopeParams& after, int drag)
      : QUndoCommand(changeText(before, after)),
        m_edits(edits),
        m_before(before),
        m_after(after),
        m_names(bareNames(before, after)),
        m_drag(drag) {}

  void undo() override { m_edits->apply(m_before); }
  void redo() override { m_edits->apply(m_after); }
  int id() const override { return kStepsOfParameters; }
  bool mergeWith(const QUndoCommand* other) override {
    const auto* next = static_cast<const Step*>(other);
    if (next->m_drag != m_drag || next->m_names != m_names) return false;
    m_after = next->m_after;
    setText(changeText(m_before, m_after));
    setObsolete(same_parameters(m_before, m_after));
    return true;
  }

 private:
  ParameterEdits* m_edits;
  ScopeParams m_before;
  ScopeParams m_after;
  std::set<std::string_view> m_names;
  int m_drag;
};

ParameterEdits::ParameterEdits(Workspace* workspace, QObject* parent)
    : QObject(parent), m_workspace(workspace) {}

void ParameterEdits::editedByHand(const ScopeParams& after, bool isFinal) {
  m_byEditor = true;
  m_isFinal = isFinal;
  const ScopeParams& before = m_workspace->params();
  if (same_parameters(before, after)) {
    apply(after);  // the end of a drag: the last preview becomes final
  } else {
    m_stack.push(new Step(this, before, after, m_drag));
  }
  m_byEditor = false;
  m_isFinal = true;
  if (isFinal) ++m_drag;
}

void ParameterEdits::change(const ScopeParams& after, const QString& text) {
  const ScopeParams& before = m_workspace->params();
  if (same_parameters(before, after)) return;
  auto* step = new Step(this, before, after, ++m_drag);
  if (!text.isEmpty()) step->setText(text);
  ++m_drag;
  m_stack.push(step);
}

void ParameterEdits::apply(const ScopeParams& params) {
  m_workspace->setParams(params, m_isFinal);
  if (!m_byEditor) emit applied(params);
}

}  // namespace qaq::views
