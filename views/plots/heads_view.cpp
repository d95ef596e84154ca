#include "views/plots/heads_view.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "core/analysis/diagnosis_tables.h"
#include "core/replay/captured_layers.h"
#include "views/plots/diagnosis_text.h"
#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kLeft{62}, kRight{14}, kTitle{18}, kLayers{34}, kLegend{52};  // px
constexpr Px<double> kBarWidth{180}, kBarHeight{10};
constexpr Px<int> kTickGap{28};

// A step of 1, 2, 5, 10, ... at which labels of `px` each do not meet.
int labelStep(double cell, double px) {
  int step = 1;
  for (const int each : {1, 2, 5, 10, 20, 50, 100}) {
    step = each;
    if (cell * each >= px) break;
  }
  return step;
}

}  // namespace

HeadsView::HeadsView(SelectionModel* selection, QWidget* parent)
    : DiagnosisView(selection, parent) {
  connect(selection, &SelectionModel::lockChanged, this, qOverload<>(&QWidget::update));
}

bool HeadsView::isReplayed() const {
  return std::ranges::any_of(result()->diagnosis.head_kl,
                             [](const auto& side) { return side.size() > 0; });
}

std::array<NdArray<float, 2>, 2> HeadsView::numbers() const {
  const Diagnosis& of = result()->diagnosis;
  if (isReplayed()) return head_kl_change(of);
  return {of.head_scores[0].copy(), of.head_scores[1].copy()};
}

bool HeadsView::has(CacheSide side) const {
  const Diagnosis& of = result()->diagnosis;
  return !(isReplayed() ? of.head_kl : of.head_scores)[static_cast<std::size_t>(side)].empty();
}

QString HeadsView::subtitle() const {
  return isReplayed()
             ? tr("change of KL at step %1 with one head left exact").arg(result()->diagnosis.step)
             : tr("what quantizing each head changes in its outputs at step %1, to first order")
                   .arg(result()->diagnosis.step);
}

QString HeadsView::whyNone() const {
  return result()->diagnosis.cells.empty() ? summaryText(*result()) : QString();
}

ColorMap HeadsView::colors() const {
  double least = 0, most = 0;
  for (const auto& side : numbers()) {
    for (const float each : side.span()) {
      least = std::min(least, double{each});
      most = std::max(most, double{each});
    }
  }
  if (isReplayed()) {
    const double reach = std::max({-least, most, 1e-12});
    return ColorMap::diverging(theme().palette().diverging(), 0, reach);
  }
  return ColorMap::linear(theme().palette().viridis(), 0, std::max(most, 1e-12));
}

QRectF HeadsView::mapIn(const QRectF& area, CacheSide side) const {
  const int n = int{has(CacheSide::key)} + int{has(CacheSide::value)};
  const int place = side == CacheSide::value && has(CacheSide::key) ? 1 : 0;
  const double height = (area.height() - kLegend - kLayers) / std::max(1, n);
  return {area.left() + kLeft, area.top() + place * height + kTitle, area.width() - kLeft - kRight,
          height - kTitle - 4};
}

QRectF HeadsView::cellIn(const QRectF& map, int layer, int head) const {
  const auto& of = result()->diagnosis.head_scores[0];
  const double width = map.width() / static_cast<double>(of.shape(0));
  const double height = map.height() / static_cast<double>(of.shape(1));
  return {map.left() + layer * width, map.top() + head * height, width, height};
}

QRectF HeadsView::cellOf(CacheSide side, int layer, int head) const {
  return cellIn(mapIn(paintedArea(), side), layer, head);
}

void HeadsView::paintPicture(QPainter* painter, const QRectF& area) {
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    if (!has(side)) continue;
    const QRectF map = mapIn(area, side);
    if (map.height() < px(12) || map.width() < px(60)) return;
    paintMap(painter, map, side, side == CacheSide::value || !has(CacheSide::value));
  }
  paintLegend(painter, area);
}

void HeadsView::paintMap(QPainter* painter, const QRectF& map, CacheSide side,
                         bool isLowest) const {
  const auto of = std::move(numbers()[static_cast<std::size_t>(side)]);
  const ColorMap color = colors();
  const int layers = static_cast<int>(of.shape(0)), heads = static_cast<int>(of.shape(1));
  for (int layer = 0; layer < layers; ++layer) {
    for (int head = 0; head < heads; ++head) {
      // Edges on whole pixels, so that no gaps show.
      const QRectF cell = cellIn(map, layer, head);
      painter->fillRect(QRect(QPoint(static_cast<int>(std::round(cell.left())),
                                     static_cast<int>(std::round(cell.top()))),
                              QPoint(static_cast<int>(std::round(cell.right())) - 1,
                                     static_cast<int>(std::round(cell.bottom())) - 1)),
                        QColor(color(of(layer, head))));
    }
  }
  painter->setBrush(Qt::NoBrush);
  painter->setPen(QPen(theme().frame, px(1)));
  painter->drawRect(map);
  painter->setFont(Theme::font(Theme::kLabelPx, true));
  painter->setPen(theme().text);
  painter->drawText(QRectF(map.left(), map.top() - kTitle, map.width(), kTitle),
                    Qt::AlignLeft | Qt::AlignVCenter,
                    side == CacheSide::key ? tr("Keys") : tr("Values"));
  painter->setFont(Theme::font(Theme::kTickPx));
  painter->setPen(theme().muted);
  const int everyHead = labelStep(map.height() / heads, px(14));
  for (int head = 0; head < heads; head += everyHead) {
    painter->drawText(
        QRectF(map.left() - px(40), cellIn(map, 0, head).center().y() - px(8), px(34), px(16)),
        Qt::AlignRight | Qt::AlignVCenter, QString::number(head));
  }
  if (isLowest) {
    const int everyLayer = labelStep(map.width() / layers, kTickGap);
    for (int layer = 0; layer < layers; layer += everyLayer) {
      painter->drawText(
          QRectF(cellIn(map, layer, 0).center().x() - px(20), map.bottom() + px(2), px(40), px(14)),
          Qt::AlignCenter, QString::number(layer));
    }
    painter->setFont(Theme::font(Theme::kLabelPx));
    painter->setPen(theme().text);
    painter->drawText(QRectF(map.left(), map.bottom() + px(16), map.width(), px(16)),
                      Qt::AlignCenter, tr("layer"));
  }
  painter->save();
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->setPen(theme().text);
  painter->translate(map.left() - px(46), map.center().y());
  painter->rotate(-90);
  if (map.height() >= px(50)) {
    painter->drawText(QRectF(-60, -8, 120, 16), Qt::AlignCenter, tr("KV head"));
  }
  painter->restore();
  // The strongest cell's head, and the locked one.
  const auto mark = [&](int layer, int head, const QColor& ink) {
    const QRectF cell = cellIn(map, layer, head);
    painter->setPen(QPen(theme().halo, px(4)));
    painter->drawRect(cell);
    painter->setPen(QPen(ink, px(2)));
    painter->drawRect(cell);
  };
  const CellAddress& worst = result()->diagnosis.cells.front().cell;
  if (worst.side == side) {
    mark(static_cast<int>(worst.layer), static_cast<int>(worst.kv_head), theme().violation);
  }
  if (const auto& locked = selection()->locked(); locked && locked->side == side) {
    mark(selection()->layerNumbers()[static_cast<std::size_t>(locked->layer)], locked->kvHead,
         theme().accent);
  }
}

void HeadsView::paintLegend(QPainter* painter, const QRectF& area) const {
  const ColorMap color = colors();
  const QRectF bar(area.left() + kLeft, area.bottom() - kLegend + px(14),
                   std::min<double>(kBarWidth, area.width() / 3), kBarHeight);
  for (int x = 0; x < static_cast<int>(bar.width()); ++x) {
    const double value = color.low() + (color.high() - color.low()) * (x + 0.5) / bar.width();
    painter->fillRect(QRectF(bar.left() + x, bar.top(), 1, bar.height()),
                      QColor(color(static_cast<float>(value))));
  }
  painter->setPen(QPen(theme().frame, px(1)));
  painter->setBrush(Qt::NoBrush);
  painter->drawRect(bar);
  painter->setFont(Theme::font(Theme::kTickPx));
  painter->setPen(theme().muted);
  QList<double> ticks{color.low(), color.high()};
  if (isReplayed()) ticks.insert(1, 0);
  for (const double at : ticks) {
    const double x = bar.left() + bar.width() * color.position(at);
    painter->drawText(QRectF(x - px(40), bar.bottom() + px(2), px(80), px(16)), Qt::AlignCenter,
                      at == 0 ? QStringLiteral("0") : numberText(at));
  }
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->setPen(theme().text);
  const QRectF words(bar.right() + px(50), bar.top() - px(6),
                     area.right() - kRight - bar.right() - px(50), px(18));
  painter->drawText(
      words, Qt::AlignLeft | Qt::AlignVCenter,
      isReplayed() ? tr("change of KL [nat], blue repairs") : tr("change of outputs, norm"));
  painter->setPen(theme().muted);
  painter->drawText(words.translated(0, px(18)), Qt::AlignLeft | Qt::AlignVCenter,
                    tr("□ strongest cell's head"));
}

std::optional<HeadsView::Head> HeadsView::headAt(const QPointF& position) const {
  if (!result() || !error().isEmpty()) return std::nullopt;
  const auto& of = result()->diagnosis.head_scores[0];
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    if (!has(side)) continue;
    const QRectF map = mapIn(paintedArea(), side);
    if (!map.contains(position)) continue;
    const auto place = [](double at, std::int64_t n) {
      return std::min(static_cast<int>(at * static_cast<double>(n)), static_cast<int>(n) - 1);
    };
    return Head{side, place((position.x() - map.left()) / map.width(), of.shape(0)),
                place((position.y() - map.top()) / map.height(), of.shape(1))};
  }
  return std::nullopt;
}

void HeadsView::mousePressEvent(QMouseEvent* event) {
  const auto head = headAt(event->position());
  if (event->button() != Qt::LeftButton || !head) return DiagnosisView::mousePressEvent(event);
  const auto layer = captured_index(selection()->layerNumbers(), head->layer);
  if (!layer) return;
  Slice slice = selection()->slice();
  slice = {.side = head->side, .layer = *layer, .kvHead = head->head};
  selection()->setSlice(slice);
}

bool HeadsView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const auto head = headAt(help->pos())) {
      QToolTip::showText(
          help->globalPos(),
          QStringLiteral("%1 · L%2 · KVH%3: %4")
              .arg(head->side == CacheSide::key ? QLatin1Char('K') : QLatin1Char('V'))
              .arg(head->layer)
              .arg(head->head)
              .arg(numberText(
                  numbers()[static_cast<std::size_t>(head->side)](head->layer, head->head))),
          this);
      return true;
    }
    QToolTip::hideText();
  }
  return DiagnosisView::event(event);
}

std::optional<Table> HeadsView::table() const {
  if (!result()) return std::nullopt;
  return head_table(numbers(), isReplayed() ? Column{"kl_change", ColumnKind::real, "nat"}
                                            : Column{"output_change", ColumnKind::real, "1"});
}

}  // namespace qaq::views
