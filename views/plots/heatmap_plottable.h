#pragma once

#include <cstdint>
#include <qcustomplot.h>

#include "views/models/latest_job.h"
#include "views/plots/theme.h"
#include "views/plots/tile.h"

namespace qaq::views {

/// "max", "min" or "mean", as the window writes it; the farthest from 0 is offered for differences
/// alone, and named after them.
QString reducerText(Reducer reducer);

/// A heatmap on two axes. The picture for the viewport and a little around it, at device
/// resolution, is made on a worker thread from core's reduce(); this thread only copies it to the
/// screen. Until it is there, the last picture is drawn where its cells are now. Other colours are
/// made from the pixels at hand, and a map is moved within its picture without any work. Exports
/// are made at once, at their resolution.
class HeatmapPlottable : public QCPAbstractPlottable {
  Q_OBJECT

 public:
  HeatmapPlottable(QCPAxis* columns, QCPAxis* rows);

  void setMap(SharedHeatmap map, ColorMap colors);
  /// Asks for the picture of a new map where the last one is on the screen, and replots once it is
  /// there. False: there is nothing to wait for.
  bool askAhead();
  void setColors(ColorMap colors);
  void setReducer(Reducer reducer) { m_reducer = reducer; }
  void setTheme(const Theme& theme);
  /// Draws only what lies between these shares of the plot's width.
  void setPart(double from, double to);
  const SharedHeatmap& map() const { return m_map; }
  const ColorMap& colors() const { return m_colors; }
  Reducer reducer() const { return m_reducer; }
  /// The picture on the screen is of the present map, range and size.
  bool isSettled() const;
  /// "min of 3 × 2 cells" where cells share a pixel, else empty.
  QString badge() const;
  /// The pixels that the picture on the screen is made from: null before the first.
  const std::shared_ptr<const HeatmapTile>& reduced() const { return m_tile.reduced; }

  double selectTest(const QPointF&, bool, QVariant* = nullptr) const override { return -1; }
  QCPRange getKeyRange(bool& found, QCP::SignDomain domain = QCP::sdBoth) const override;
  QCPRange getValueRange(bool& found, QCP::SignDomain domain = QCP::sdBoth,
                         const QCPRange& keys = QCPRange()) const override;

 protected:
  QRect clipRect() const override;
  void draw(QCPPainter* painter) override;
  void drawLegendIcon(QCPPainter*, const QRectF&) const override {}

 private:
  TileRequest request(QCPPainter* painter) const;
  void ask(const TileRequest& request);

  SharedHeatmap m_map;
  ColorMap m_colors;
  Reducer m_reducer = Reducer::max;
  double m_from = 0, m_to = 1;
  Theme m_theme = Theme::of(ThemeKind::light);
  Tile m_tile;           ///< what is on the screen
  TileRequest m_wanted;  ///< the newest that was asked for
  TileRequest m_here;    ///< what the screen showed last
  std::int64_t m_asked = 0;
  std::int64_t m_received = 0;
  LatestJob m_job;
};

}  // namespace qaq::views
