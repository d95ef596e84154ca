#pragma once

#include <QWidget>
#include <optional>

#include "views/models/analysis.h"
#include "views/models/selection_model.h"
#include "views/plots/theme.h"

class QFormLayout;
class QLabel;

namespace qaq::views {

/// The numbers of the cell under the pointer, else of the locked one.
class InspectorPanel : public QWidget {
  Q_OBJECT

 public:
  explicit InspectorPanel(SelectionModel* selection, QWidget* parent = nullptr);

  void show(const SharedSlice& slice);
  void setTheme(const Theme& theme);
  /// Name and text of each row, as shown.
  QList<QPair<QString, QString>> rows() const;

 private:
  void refresh();
  void setRow(int row, const QString& text, bool alarm = false);

  SelectionModel* m_selection;
  SharedSlice m_slice;
  Theme m_theme = Theme::of(ThemeKind::light);
  QList<QLabel*> m_names;
  QList<QLabel*> m_values;
};

}  // namespace qaq::views
