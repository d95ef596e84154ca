#pragma once

#include <cstdint>
#include <qcustomplot.h>

#include "views/models/latest_job.h"
#include "views/plots/theme.h"
#include "views/plots/tile.h"

namespace qaq::views {

/// A heatmap on two axes. The picture for the viewport, at device resolution, is made on a worker
/// thread from core's reduce(); this thread only copies it to the screen. Until it is there, the
/// last picture is drawn where its cells are now. Exports are made at once, at their resolution.
class HeatmapPlottable : public QCPAbstractPlottable {
  Q_OBJECT

 public:
  HeatmapPlottable(QCPAxis* columns, QCPAxis* rows);

  void setMap(SharedHeatmap map, ColorMap colors);
  void setTheme(const Theme& theme);
  const SharedHeatmap& map() const { return m_map; }
  const ColorMap& colors() const { return m_colors; }
  /// The picture on the screen is of the present map, range and size.
  bool isSettled() const;
  /// "min of 3 × 2 cells" where cells share a pixel, else empty.
  QString badge() const;

  double selectTest(const QPointF&, bool, QVariant* = nullptr) const override { return -1; }
  QCPRange getKeyRange(bool& found, QCP::SignDomain domain = QCP::sdBoth) const override;
  QCPRange getValueRange(bool& found, QCP::SignDomain domain = QCP::sdBoth,
                         const QCPRange& keys = QCPRange()) const override;

 protected:
  QRect clipRect() const override;
  void draw(QCPPainter* painter) override;
  void drawLegendIcon(QCPPainter*, const QRectF&) const override {}

 private:
  void ask(const TileRequest& request);
  void drawNumbers(QCPPainter* painter) const;

  SharedHeatmap m_map;
  ColorMap m_colors;
  Theme m_theme = Theme::of(ThemeKind::light);
  Tile m_tile;           ///< what is on the screen
  TileRequest m_wanted;  ///< the newest that was asked for
  std::int64_t m_asked = 0;
  std::int64_t m_received = 0;
  LatestJob m_job;
};

}  // namespace qaq::views
