#include "views/plots/chart_look.h"

#include <array>
#include <utility>

namespace qaq::views {
namespace {

constexpr Px<double> kSignPx{7}, kLinePx{1.6};
constexpr Px<double> kSmallSignPx{4};
constexpr Px<double> kBoxPx{1.6};
constexpr int kBandAlpha = 40;
constexpr std::size_t kMany = 100;  // points, which would cover each other

// Solid and hollow ones differ by their brush alone.
QCPScatterStyle::ScatterShape shapeOf(const QString& marker) {
  static const std::array<std::pair<const char*, QCPScatterStyle::ScatterShape>, 8> kShapes{{
      {"disc", QCPScatterStyle::ssCircle},
      {"square", QCPScatterStyle::ssSquare},
      {"triangle_up", QCPScatterStyle::ssTriangle},
      {"diamond", QCPScatterStyle::ssDiamond},
      {"triangle_down", QCPScatterStyle::ssTriangleInverted},
      {"plus", QCPScatterStyle::ssPlus},
      {"cross", QCPScatterStyle::ssCross},
      {"star", QCPScatterStyle::ssStar},
  }};
  for (const auto& [name, shape] : kShapes) {
    if (marker == QLatin1String(name)) return shape;
  }
  return QCPScatterStyle::ssCircle;
}

// What a style comes to; those beside the palette's categories have no name there.
struct Style {
  QColor color;
  QCPScatterStyle::ScatterShape shape = QCPScatterStyle::ssCircle;
};

Style styleOf(int style, const Theme& theme) {
  if (style == kPlainStyle) return {theme.palette().single("neutral_bar")};
  if (style == kNotedStyle) return {theme.violation, QCPScatterStyle::ssTriangle};
  const auto& category = theme.palette().categories().at(static_cast<std::size_t>(style));
  return {QColor(category.color), shapeOf(category.marker)};
}

}  // namespace

QPen linePen(const Theme& theme) { return {theme.muted, px(1), Qt::DashLine}; }

ChartLook lookOf(const ChartSeries& series, const Theme& theme) {
  const auto [color, shape] = styleOf(series.style, theme);
  ChartLook look;
  const QPen line(color, kLinePx, series.open ? Qt::DashLine : Qt::SolidLine);
  const QPen outline(color, kLinePx);
  const QBrush inside(series.open ? theme.surface : color);
  switch (series.mark) {
    case ChartMark::line_points:
      look.line = line;
      [[fallthrough]];
    case ChartMark::points:
      look.sign = QCPScatterStyle(shape, outline, inside,
                                  series.points.size() > kMany ? kSmallSignPx : kSignPx);
      break;
    case ChartMark::dotted:
      look.line = QPen(color, kLinePx, Qt::DotLine);
      break;
    case ChartMark::line:
    case ChartMark::steps:
      look.line = line;
      break;
    case ChartMark::bars:
      look.fill = inside;
      look.line = QPen(color, px(1));
      break;
    case ChartMark::boxes:
      look.line = QPen(theme.accent, kBoxPx);
      break;
    case ChartMark::rug:
      look.line = QPen(color, px(2));
      break;
    case ChartMark::rings:
      look.sign = QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme.violation, px(2)),
                                  Qt::NoBrush, kSignPx);
      break;
    case ChartMark::band: {
      QColor veil = color;
      veil.setAlpha(kBandAlpha);
      look.fill = veil;
      break;
    }
    case ChartMark::heat:
      break;
  }
  return look;
}

}  // namespace qaq::views
