#include "views/plots/callout.h"

namespace qaq::views {
namespace {

constexpr Px<double> kLeastPlotHeight{150};
constexpr Px<double> kMargin{8}, kBelowBadge{34};

}  // namespace

Callout::Callout(QCPAxisRect* axes, const QString& layer, const HeatmapPlottable* heatmap)
    : PlotOverlay(axes, layer), m_heatmap(heatmap) {}

void Callout::set(const QString& text, std::int64_t row, std::int64_t column) {
  m_text = text;
  m_row = row;
  m_column = column;
}

void Callout::draw(QCPPainter* painter) {
  const CellFrame cells = frame();
  const QRectF plot = cells.plot();
  if (m_text.isEmpty() || plot.height() < kLeastPlotHeight) return;
  const QFont font = Theme::font(Theme::kTickPx);
  const QFontMetricsF metrics(font);
  const double width = std::min(px(230), plot.width() * 0.6);
  const QRectF text = metrics.boundingRect(QRectF(0, 0, width, plot.height()),
                                           Qt::AlignLeft | Qt::TextWordWrap, m_text);
  // Future tokens leave the upper right corner free.
  QRectF box(0, 0, text.width() + 2 * kMargin, text.height() + 2 * kMargin);
  const double top = m_heatmap->badge().isEmpty() ? kMargin : kBelowBadge;
  box.moveTopRight(plot.topRight() + QPointF(-kMargin, top));
  const QPointF target = cells.cell(m_row, m_column).center();
  if (plot.contains(target) && !box.contains(target)) {
    const double x = std::clamp(target.x(), box.left() + 4, box.right() - 4);
    const bool below = target.y() > box.bottom();
    drawLine(painter, QLineF(QPointF(x, below ? box.bottom() : box.center().y()), target),
             theme().muted);
  }
  painter->setPen(QPen(theme().border, px(1)));
  painter->setBrush(theme().surface);
  painter->drawRect(box.toAlignedRect());
  painter->setPen(theme().text);
  painter->setFont(font);
  painter->drawText(box.adjusted(kMargin, kMargin, -kMargin + 2, -kMargin + 2),
                    Qt::AlignLeft | Qt::TextWordWrap, m_text);
}

}  // namespace qaq::views
