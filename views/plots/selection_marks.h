#pragma once

#include <vector>

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Columns of a map, of all its rows or of some; all included.
struct CellBlock {
  static constexpr int kAllRows = -1;

  int firstColumn = 0;
  int lastColumn = 0;
  int firstRow = kAllRows;
  int lastRow = kAllRows;
  friend bool operator==(const CellBlock&, const CellBlock&) = default;
};

/// The selected set over a map: whole columns have bars of the accent along both edges, so that no
/// cell is covered; other blocks are framed. Under a filter what it leaves out is veiled: it can
/// still be told, but recedes.
class SelectionMarks : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  void setSelected(std::vector<CellBlock> blocks) { m_selected = std::move(blocks); }
  void setVeiled(std::vector<CellBlock> blocks) { m_veiled = std::move(blocks); }
  const std::vector<CellBlock>& selected() const { return m_selected; }
  const std::vector<CellBlock>& veiled() const { return m_veiled; }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  QRectF rectOf(const CellBlock& block) const;
  void drawBars(QCPPainter* painter, const QRectF& columns) const;

  std::vector<CellBlock> m_selected;
  std::vector<CellBlock> m_veiled;
};

}  // namespace qaq::views
