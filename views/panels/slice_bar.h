#pragma once

#include <QList>
#include <QWidget>

#include "views/models/selection_model.h"

class QComboBox;
class QLabel;

namespace qaq::views {

/// Which cache, layer, KV head and query head the single-head views show: lists in the toolbar.
class SliceBar : public QWidget {
  Q_OBJECT

 public:
  explicit SliceBar(SelectionModel* selection, QWidget* parent = nullptr);
  /// Fills the lists from a capture.
  void setCapture(const CaptureInfo& info);
  /// Leaves out the names that the values tell ("V", "max of 3–5") where there is less room than
  /// for all.
  void fit(int width);

 private:
  QComboBox* addList(const QString& label, const QString& help);
  void refresh();
  void fillQueryHeads();
  void choose();

  SelectionModel* m_selection;
  int m_groupSize = 1;
  QComboBox* m_side;
  QComboBox* m_layer;
  QComboBox* m_head;
  QComboBox* m_queryHead;
  QList<QLabel*> m_sparedNames;
};

}  // namespace qaq::views
