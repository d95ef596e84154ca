#pragma once

#include "views/models/pair_data.h"
#include "views/plots/color_bar.h"
#include "views/plots/map_pane.h"
#include "views/plots/violation_marks.h"

namespace qaq::views {

/// The ratio of every pair of the slice's heads, token by step, diverging at 1.
class RatioPane : public MapPane {
  Q_OBJECT

 public:
  explicit RatioPane(QWidget* parent = nullptr);

  void show(const SharedPairs& pairs);
  void setTheme(const Theme& theme) override;
  /// The violation whose triangle is under `position`, in widget pixels.
  std::optional<Violation> violationAt(const QPointF& position) const;

 private:
  ColorMap colors() const;
  void describeColors();

  ColorBar* m_bar;
  ViolationMarks* m_marks;
  SharedPairs m_pairs;
  ThemeKind m_kind = ThemeKind::light;
};

}  // namespace qaq::views
