#pragma once

#include "views/models/analysis.h"
#include "views/plots/color_bar.h"
#include "views/plots/map_pane.h"
#include "views/plots/outlier_marks.h"

namespace qaq::views {

/// The plot of OutlierMapView.
class OutlierPane : public MapPane {
  Q_OBJECT

 public:
  explicit OutlierPane(QWidget* parent = nullptr);
  void show(const SliceMaps& slice);

 private:
  ColorBar* m_bar;
  OutlierMarks* m_marks;
};

}  // namespace qaq::views
