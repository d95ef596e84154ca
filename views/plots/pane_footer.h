#pragma once

#include <qcustomplot.h>

#include "views/plots/color_map.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// The strip below a plot that holds its legend. Compact where room is dear.
class PaneFooter : public QCPLayoutElement {
  Q_OBJECT

 public:
  static constexpr Px<int> kHeight{50};
  static constexpr Px<int> kCompactHeight{28};
  static constexpr Px<int> kLeft{58};  ///< the plot's left margin: legends begin under the plot
  static constexpr Px<int> kRight{14};

  explicit PaneFooter(QCustomPlot* plot);

  void setTheme(const Theme& theme) { m_theme = theme; }
  void setCompact(bool compact);
  /// While a newer result is being made the numbers recede.
  void setUpdating(bool updating) { m_updating = updating; }
  /// The map's colours were exchanged: another scale of values, another theme.
  virtual void setColors(const ColorMap&) {}
  /// The legend in words, for those who do not see it.
  virtual QString text() const = 0;

 protected:
  bool isCompact() const { return m_compact; }
  const Theme& theme() const { return m_theme; }
  QColor textColor() const { return m_updating ? m_theme.faint : m_theme.text; }
  QColor mutedColor() const { return m_updating ? m_theme.faint : m_theme.muted; }
  void draw(QCPPainter* painter) override = 0;

 private:
  Theme m_theme = Theme::of(ThemeKind::light);
  bool m_compact = false;
  bool m_updating = false;
};

}  // namespace qaq::views
