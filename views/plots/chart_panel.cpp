#include "views/plots/chart_panel.h"

#include <algorithm>
#include <cmath>

#include "views/plots/chart_look.h"
#include "views/plots/chart_range.h"
#include "views/plots/chart_ticker.h"
#include "views/plots/chart_words.h"

namespace qaq::views {
namespace {

constexpr double kBarWidth = 0.7;                     // of a category's place
constexpr double kBoxWidth = 0.94, kBoxAbove = 0.08;  // of a place, of the y axis
constexpr double kRugHeight = 0.05;
constexpr Px<double> kRingPx{11};
constexpr Px<int> kPadding{10};       // px beside labels
constexpr double kLeastReach = 1e-9;  // of a scale of colours whose cells are all alike
constexpr int kIntervalAlpha = 130;

QString labelOf(const ChartAxis& axis) {
  const QString label = chartWords(axis.label);
  const bool bare = axis.unit.empty() || axis.unit == "1";
  return bare ? label : label + QStringLiteral(" [%1]").arg(axis.unit.c_str());
}

void setUpAxis(QCPAxis* axis, const ChartAxis& spec, const Theme& theme) {
  axis->setBasePen(QPen(theme.frame, px(1)));
  axis->setTickPen(QPen(theme.frame, px(1)));
  axis->setSubTickPen(QPen(theme.frame, px(1)));
  axis->setPadding(axis->orientation() == Qt::Vertical ? kPadding : 0);
  axis->setTickLength(0, wholePx(4));
  axis->setSubTickLength(0, wholePx(2));
  axis->setTickLabelFont(Theme::font(Theme::kTickPx));
  axis->setTickLabelColor(theme.muted);
  axis->setLabelFont(Theme::font(Theme::kLabelPx));
  axis->setLabelColor(theme.text);
  axis->setLabel(labelOf(spec));
  axis->grid()->setPen(QPen(theme.grid, px(1)));
  axis->grid()->setZeroLinePen(QPen(theme.grid, px(1)));
  axis->setNumberFormat(QStringLiteral("gbc"));
  if (spec.scale == ChartScale::log) {
    axis->setScaleType(QCPAxis::stLogarithmic);
    axis->setTicker(QSharedPointer<QCPAxisTicker>(new LogTicker(axis)));
  } else if (spec.scale == ChartScale::category) {
    const QSharedPointer<QCPAxisTickerText> ticker(new NameTicker(axis));
    for (std::size_t i = 0; i < spec.names.size(); ++i) {
      ticker->addTick(static_cast<double>(i), chartWords(spec.names[i]));
    }
    axis->setTicker(ticker);
    axis->setSubTicks(false);
    axis->setRangeReversed(axis->orientation() == Qt::Vertical);
  } else {
    axis->setTicker(QSharedPointer<QCPAxisTicker>(new LinearTicker(spec.whole)));
  }
}

void addInterval(QCPGraph* graph, const QVector<ChartPoint>& points, bool along_x) {
  auto* bars = new QCPErrorBars(graph->keyAxis(), graph->valueAxis());
  bars->setDataPlottable(graph);
  bars->setErrorType(along_x ? QCPErrorBars::etKeyError : QCPErrorBars::etValueError);
  QColor color = graph->scatterStyle().pen().color();
  color.setAlpha(kIntervalAlpha);
  bars->setPen(QPen(color, px(1)));
  bars->setWhiskerWidth(px(5));
  bars->setSymbolGap(0);
  for (const ChartPoint& point : points) {
    const double middle = along_x ? point.x : point.y;
    const bool there = std::isfinite(point.low) && std::isfinite(point.high);
    bars->addData(there ? middle - point.low : 0, there ? point.high - middle : 0);
  }
}

void addGraph(QCPAxis* x, QCPAxis* y, const ChartSeries& series, const ChartPanel& panel,
              const ChartLook& look) {
  QVector<ChartPoint> points;
  bool has_interval = false;
  const bool by_name = panel.y.scale == ChartScale::category;
  for (ChartPoint point : series.points) {
    if (!canBeDrawn(point, series, panel)) continue;
    has_interval = has_interval || std::isfinite(point.low);
    (by_name ? point.y : point.x) += series.shift;
    // An empty bin of a histogram lies below a logarithmic axis.
    if (series.mark == ChartMark::steps) point.y = std::max(point.y, y->range().lower);
    points.push_back(point);
  }
  // Sorted as graphs sort: intervals go with their points.
  std::ranges::stable_sort(points, {}, &ChartPoint::x);
  QCPGraph* graph = x->parentPlot()->addGraph(x, y);
  graph->setName(chartWords(series.name));
  graph->setPen(look.line);
  graph->setScatterStyle(look.sign);
  if (look.line.style() == Qt::NoPen) graph->setLineStyle(QCPGraph::lsNone);
  if (series.mark == ChartMark::steps) graph->setLineStyle(QCPGraph::lsStepCenter);
  for (const ChartPoint& point : points) graph->addData(point.x, point.y);
  if (has_interval) addInterval(graph, points, by_name);
}

// Between two graphs without lines. What has no place on a logarithmic axis ends at its edge.
void addBand(QCPAxis* x, QCPAxis* y, const ChartSeries& series, const ChartLook& look) {
  QCPGraph* upper = x->parentPlot()->addGraph(x, y);
  QCPGraph* lower = x->parentPlot()->addGraph(x, y);
  for (QCPGraph* graph : {upper, lower}) {
    graph->setName(chartWords(series.name));
    graph->setPen(Qt::NoPen);
  }
  upper->setBrush(look.fill);
  upper->setChannelFillGraph(lower);
  const bool log = y->scaleType() == QCPAxis::stLogarithmic;
  for (const ChartPoint& point : series.points) {
    if (!std::isfinite(point.low) || !std::isfinite(point.high)) continue;
    const double least = log ? y->range().lower : point.low;
    upper->addData(point.x, std::max(point.high, least));
    lower->addData(point.x, std::max(point.low, least));
  }
}

// A ring, and a wider one below it, so that it is seen on any colour.
void addRings(QCPAxis* x, QCPAxis* y, const ChartSeries& series, const Theme& theme) {
  for (const auto& [color, width] : {std::pair{theme.halo, 4.0}, std::pair{theme.violation, 2.0}}) {
    QCPGraph* graph = x->parentPlot()->addGraph(x, y);
    graph->setName(chartWords(series.name));
    graph->setLineStyle(QCPGraph::lsNone);
    graph->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(color, px(width)), Qt::NoBrush, kRingPx));
    for (const ChartPoint& point : series.points) graph->addData(point.x, point.y);
  }
}

// On top of the bars that the panel has.
void addBars(QCPAxis* x, QCPAxis* y, const ChartSeries& series, const ChartPanel& panel,
             const ChartLook& look) {
  const bool along_x = panel.y.scale == ChartScale::category;
  auto* bars = along_x ? new QCPBars(y, x) : new QCPBars(x, y);
  bars->setName(chartWords(series.name));
  bars->setPen(look.line);
  bars->setBrush(look.fill);
  bars->setWidth(kBarWidth);
  const auto plottables = x->plottables();
  for (auto other = plottables.rbegin(); other != plottables.rend(); ++other) {
    auto* below = qobject_cast<QCPBars*>(*other);
    if (!below || below == bars) continue;
    bars->moveAbove(below);
    break;
  }
  for (const ChartPoint& point : series.points) {
    bars->addData(along_x ? point.y : point.x, along_x ? point.x : point.y);
  }
}

void setPlace(QCPItemPosition* position, QCPAxisRect* axes, const QPointF& at) {
  position->setAxisRect(axes);
  position->setAxes(axes->axis(QCPAxis::atBottom), axes->axis(QCPAxis::atLeft));
  position->setType(QCPItemPosition::ptPlotCoords);
  position->setCoords(at);
}

void addBoxes(QCPAxisRect* axes, const ChartSeries& series, const ChartLook& look) {
  const double above = kBoxAbove * axes->axis(QCPAxis::atLeft)->range().size();
  for (const ChartPoint& point : series.points) {
    auto* box = new QCPItemRect(axes->parentPlot());
    box->setClipAxisRect(axes);
    box->setPen(look.line);
    setPlace(box->topLeft, axes, {point.x - kBoxWidth / 2, point.y + above});
    setPlace(box->bottomRight, axes, {point.x + kBoxWidth / 2, 0});
  }
}

// Above the points, or as ticks of the axis on the right.
void addLabels(QCPAxisRect* axes, const ChartSeries& series, const ChartPanel& panel,
               const ChartLook& look, const Theme& theme) {
  const bool beside = panel.y.scale == ChartScale::category;
  for (std::size_t i = 0; i < std::min(series.labels.size(), series.points.size()); ++i) {
    const ChartPoint& point = series.points[i];
    const QString words = chartWords(series.labels[i]);
    if (words.isEmpty() || !canBeDrawn(point, series, panel)) continue;
    if (beside) {
      QCPAxis* right = axes->axis(QCPAxis::atRight);
      auto ticker = right->ticker().dynamicCast<QCPAxisTickerText>();
      if (!ticker) {
        ticker.reset(new QCPAxisTickerText);
        right->setTicker(ticker);
        right->setTicks(true);
        right->setTickLabels(true);
        right->setTickLength(0, 0);
        right->setSubTicks(false);
        right->setTickLabelFont(Theme::font(Theme::kTickPx));
        right->setTickLabelColor(theme.text);
        right->setRange(axes->axis(QCPAxis::atLeft)->range());
        right->setRangeReversed(axes->axis(QCPAxis::atLeft)->rangeReversed());
      }
      ticker->addTick(point.y, words);
      continue;
    }
    auto* text = new QCPItemText(axes->parentPlot());
    text->setClipAxisRect(axes);
    text->setText(words);
    text->setFont(Theme::font(Theme::kTickPx));
    text->setColor(series.style == kPlainStyle ? theme.text : look.line.color());
    text->setPositionAlignment(Qt::AlignHCenter | Qt::AlignBottom);
    setPlace(text->position, axes, {point.x, point.y});
  }
}

void addStroke(QCPAxisRect* axes, double at, const QPen& pen) {
  auto* stroke = new QCPItemLine(axes->parentPlot());
  stroke->setClipAxisRect(axes);
  stroke->setPen(pen);
  for (const auto& [position, height] :
       {std::pair{stroke->start, 1.0}, std::pair{stroke->end, 1 - kRugHeight}}) {
    position->setAxisRect(axes);
    position->setAxes(axes->axis(QCPAxis::atBottom), axes->axis(QCPAxis::atLeft));
    position->setTypeX(QCPItemPosition::ptPlotCoords);
    position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    position->setCoords(at, height);
  }
}

void addHeat(QCPAxisRect* axes, QCPColorScale* scale, const ChartSeries& series,
             const ChartPanel& panel, const Theme& theme) {
  int columns = 0, rows = 0;
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const ChartPoint& cell : series.points) {
    columns = std::max(columns, static_cast<int>(cell.x) + 1);
    rows = std::max(rows, static_cast<int>(cell.y) + 1);
    if (panel.z.scale == ChartScale::log && cell.z <= 0) continue;
    least = std::min(least, cell.z);
    most = std::max(most, cell.z);
  }
  for (QCPAxis* axis : axes->axes()) axis->grid()->setVisible(false);
  for (const auto type : {QCPAxis::atBottom, QCPAxis::atLeft}) {
    axes->axis(type)->setTicker(QSharedPointer<QCPAxisTicker>(new LinearTicker(true)));
    axes->axis(type)->setSubTicks(false);
  }
  auto* map = new QCPColorMap(axes->axis(QCPAxis::atBottom), axes->axis(QCPAxis::atLeft));
  map->setInterpolate(false);
  // A map of one row has no height: the other one is empty and lies outside.
  columns = std::max(columns, 2);
  rows = std::max(rows, 2);
  map->data()->setSize(columns, rows);
  map->data()->setRange({0, columns - 1.0}, {0, rows - 1.0});
  map->data()->fill(ChartPoint::kNone);
  for (const ChartPoint& cell : series.points) {
    map->data()->setCell(static_cast<int>(cell.x), static_cast<int>(cell.y), cell.z);
  }
  QCPColorGradient gradient;
  gradient.clearColorStops();
  const auto& centre = panel.z.centre;
  const auto& colors = centre ? theme.palette().diverging() : theme.palette().viridis();
  if (centre) {
    // As far to one side as to the other.
    const double reach = std::max({most - *centre, *centre - least, kLeastReach});
    least = *centre - reach;
    most = *centre + reach;
  }
  for (std::size_t i = 0; i < colors.size(); ++i) {
    gradient.setColorStopAt(static_cast<double>(i) / static_cast<double>(colors.size() - 1),
                            QColor(colors[i]));
  }
  gradient.setNanHandling(QCPColorGradient::nhTransparent);
  scale->setGradient(gradient);
  map->setColorScale(scale);
  scale->setDataScaleType(panel.z.scale == ChartScale::log ? QCPAxis::stLogarithmic
                                                           : QCPAxis::stLinear);
  scale->setDataRange({panel.z.least.value_or(least), panel.z.most.value_or(most)});
  setUpAxis(scale->axis(), panel.z, theme);
  scale->setBarWidth(wholePx(12));
}

void addLine(QCPAxisRect* axes, const ChartLine& line, const ChartRanges& ranges,
             const Theme& theme) {
  QCPAxis *x = axes->axis(QCPAxis::atBottom), *y = axes->axis(QCPAxis::atLeft);
  QCPGraph* graph = axes->parentPlot()->addGraph(x, y);
  graph->setName(QString());
  graph->setPen(linePen(theme));
  const QCPRange& span = line.kind == ChartLineKind::x ? ranges.y : ranges.x;
  for (const double at : {span.lower, span.upper}) {
    if (line.kind == ChartLineKind::x) {
      graph->addData(line.at, at);
    } else {
      graph->addData(at, line.kind == ChartLineKind::y ? line.at : at);
    }
  }
}

}  // namespace

void fillPanel(QCPAxisRect* axes, QCPColorScale* scale, const ChartPanel& panel,
               const Theme& theme) {
  axes->setupFullAxesBox(false);
  for (const auto type : {QCPAxis::atTop, QCPAxis::atRight}) {
    axes->axis(type)->setBasePen(QPen(theme.frame, px(1)));
    axes->axis(type)->setTicks(false);
  }
  QCPAxis *x = axes->axis(QCPAxis::atBottom), *y = axes->axis(QCPAxis::atLeft);
  setUpAxis(x, panel.x, theme);
  setUpAxis(y, panel.y, theme);
  const auto ranges = rangesOf(panel);
  if (!ranges) {
    auto* message = new QCPItemText(axes->parentPlot());
    message->setClipAxisRect(axes);
    message->setText(QObject::tr("no values"));
    message->setFont(Theme::font(Theme::kTickPx));
    message->setColor(theme.muted);
    message->position->setAxisRect(axes);
    message->position->setType(QCPItemPosition::ptAxisRectRatio);
    message->position->setCoords(0.5, 0.5);
    return;
  }
  x->setRange(ranges->x);
  y->setRange(ranges->y);
  // Bars would hide what they are held against.
  for (const ChartSeries& series : panel.series) {
    if (series.mark == ChartMark::bars) addBars(x, y, series, panel, lookOf(series, theme));
  }
  for (const ChartLine& line : panel.lines) addLine(axes, line, *ranges, theme);
  for (const ChartSeries& series : panel.series) {
    const ChartLook look = lookOf(series, theme);
    addLabels(axes, series, panel, look, theme);
    if (series.mark == ChartMark::heat) {
      addHeat(axes, scale, series, panel, theme);
    } else if (series.mark == ChartMark::rings) {
      addRings(x, y, series, theme);
    } else if (series.mark == ChartMark::band) {
      addBand(x, y, series, look);
    } else if (series.mark == ChartMark::boxes) {
      addBoxes(axes, series, look);
    } else if (series.mark == ChartMark::rug) {
      for (const ChartPoint& point : series.points) addStroke(axes, point.x, look.line);
    } else if (series.mark != ChartMark::bars) {
      addGraph(x, y, series, panel, look);
    }
  }
}

int undrawable(const Chart& chart) {
  int n = 0;
  for (const ChartPanel& panel : chart.panels) {
    for (const ChartSeries& series : panel.series) {
      n += static_cast<int>(std::ranges::count_if(series.points, [&](const ChartPoint& point) {
        return !canBeDrawn(point, series, panel);
      }));
    }
  }
  return n;
}

}  // namespace qaq::views
