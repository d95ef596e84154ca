#pragma once

#include <QAbstractSlider>

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Where A ends and B begins on a map of both: a line with a grip, and a letter on either side.
class SwipeDivider : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  /// Of the plot's width, from the left.
  void setShare(double share) { m_share = share; }
  void setShown(bool shown) { m_shown = shown; }
  /// px of the widget.
  double x() const;
  static constexpr int kReach = 6;  ///< px beside the line that still take hold of it

 protected:
  void draw(QCPPainter* painter) override;

 private:
  double m_share = 0.5;
  bool m_shown = false;
};

/// What the divider is moved by, with the pointer or, while it has the focus, the arrow keys; it
/// lies over the plot and shows only its focus. In thousandths of the plot's width.
class SwipeHandle : public QAbstractSlider {
  Q_OBJECT

 public:
  explicit SwipeHandle(QWidget* pane);

  /// The plot, in px of the pane.
  void setPlot(const QRect& plot);
  void setTheme(const Theme& theme);
  double share() const { return static_cast<double>(value()) / maximum(); }

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void sliderChange(SliderChange change) override;

 private:
  void place();

  QRect m_plot;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
