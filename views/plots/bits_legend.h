#pragma once

#include "core/analysis/maps.h"
#include "views/plots/color_map.h"
#include "views/plots/pane_footer.h"

namespace qaq::views {

/// One swatch a width that occurs, with its numeral and, below, its share of the units, and one of
/// what is evicted; at the right the mean width and the nominal bits a value.
class BitsLegend : public PaneFooter {
  Q_OBJECT

 public:
  using PaneFooter::PaneFooter;
  /// Without nominal bits no mean is told: of what is of several settings.
  void set(const BitHistogram& histogram, const ColorMap& colors,
           std::optional<double> nominalBits);
  /// Layers that were not captured are hatched: the legend says so.
  void setAbsent(bool absent) { m_absent = absent; }
  QString text() const override;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  struct Entry {
    int bits;
    double share;
  };
  QString numeral(int bits) const;
  void drawSwatch(QCPPainter* painter, const QRectF& box, const Entry& entry) const;

  /// "evicted 50 %"; empty: nothing is.
  QString evictedText() const;
  std::vector<Entry> m_entries;
  double m_evicted = 0;  ///< share of the units
  ColorMap m_colors;
  double m_mean = 0;
  std::optional<double> m_nominal;
  bool m_absent = false;
};

}  // namespace qaq::views
