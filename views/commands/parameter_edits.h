#pragma once

#include <QObject>
#include <QUndoStack>

#include "views/models/workspace.h"

namespace qaq::views {

/// Every change of parameters by hand goes through here, so that it can be undone. What a slider
/// sends while it is dragged becomes one step; a drag there and back leaves none. Undoing touches
/// parameters alone: the selection, the zoom and the tokens to quantize stay as they are.
class ParameterEdits : public QObject {
  Q_OBJECT

 public:
  explicit ParameterEdits(Workspace* workspace, QObject* parent = nullptr);

  QUndoStack& stack() { return m_stack; }
  /// From an editor that shows `after` itself. `isFinal` is false while a slider is dragged.
  void editedByHand(const ScopeParams& after, bool isFinal);
  /// From a command; `text` is its undo label, left out: what changes.
  void change(const ScopeParams& after, const QString& text = {});

 signals:
  /// A command, undo or redo set these: editors have to show them.
  void applied(const qaq::ScopeParams& params);

 private:
  class Step;
  void apply(const ScopeParams& params);

  Workspace* m_workspace;
  QUndoStack m_stack;
  int m_drag = 0;           ///< steps of one drag merge
  bool m_byEditor = false;  ///< an editor shows already what is applied,
  bool m_isFinal = true;    ///< and whether its slider was released
};

/// What turns `before` into `after`: "target_quantization_error 3 → 0.03" where both caches changed
/// alike, "key.level head → token" for one, "policy qaq → kivi", else "5 parameters". Empty:
/// nothing.
QString changeText(const ScopeParams& before, const ScopeParams& after);

}  // namespace qaq::views
