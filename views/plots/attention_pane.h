#pragma once

#include "views/models/analysis.h"
#include "views/plots/callout.h"
#include "views/plots/color_bar.h"
#include "views/plots/map_pane.h"
#include "views/plots/violation_marks.h"
#include "views/plots/window_box.h"

namespace qaq::views {

/// The plot of AttentionMapView.
class AttentionPane : public MapPane {
  Q_OBJECT

 public:
  explicit AttentionPane(QWidget* parent = nullptr);

  void show(const SharedSlice& shown);
  void setCallout(const QString& text, std::int64_t step, std::int64_t token);
  /// The violation whose triangle is under `position`, in widget pixels.
  std::optional<Violation> violationAt(const QPointF& position) const;

 private:
  ColorBar* m_bar;
  ViolationMarks* m_marks;
  WindowBox* m_window;
  Callout* m_callout;
};

/// Colours of probabilities, wherever they are drawn: from a hundredth of a fair share of the last
/// row, down to a decade, to 1.
ColorMap probabilityColors(std::int64_t n_tokens);

}  // namespace qaq::views
