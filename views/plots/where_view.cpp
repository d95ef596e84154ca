#include "views/plots/where_view.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "core/analysis/diagnosis_tables.h"
#include "views/plots/diagnosis_text.h"
#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kSide{14}, kRow{20}, kScale{22}, kTickGap{56};
constexpr double kBar = 0.66;  // px
constexpr Px<double> kGap{8}, kLeastBars{90};

}  // namespace

QString WhereView::subtitle() const {
  return tr("KL at step %1, a part left exact, or quantized alone; dashed: the setting")
      .arg(result()->diagnosis.step);
}

QString WhereView::whyNone() const {
  return result()->diagnosis.cells.empty() ? summaryText(*result()) : QString();
}

std::vector<std::size_t> WhereView::drawn(double height) const {
  const Diagnosis& diagnosis = result()->diagnosis;
  std::vector<std::size_t> out = telling_replays(diagnosis);
  const auto n = static_cast<std::size_t>(std::max(1.0, std::floor(height / kRow)));
  // Where there is no room for all, the first tell most; the rest is in the table.
  if (out.size() > n) out.resize(n);
  std::ranges::stable_sort(out, {}, [&](std::size_t i) { return diagnosis.replays[i].kl; });
  return out;
}

void WhereView::paintPicture(QPainter* painter, const QRectF& area) {
  const Diagnosis& diagnosis = result()->diagnosis;
  const double before = diagnosis.explained().score.score.kl;
  const auto rows = drawn(area.height() - kScale - kGap);
  const QFont font = Theme::font(Theme::kLabelPx);
  const QFontMetricsF metrics(font);
  double names = 0, words = 0, most = before;
  QStringList texts;
  for (const std::size_t i : rows) {
    const DiagnosisReplay& replay = diagnosis.replays[i];
    names = std::max(names, metrics.horizontalAdvance(QString::fromStdString(replay.label)));
    texts.push_back(numberText(replay.kl) + QLatin1Char(' ') + tokenText(*result(), replay.got) +
                    (replay.top_restored ? QStringLiteral(" ✓") : QString()));
    words = std::max(words, metrics.horizontalAdvance(texts.back()));
    most = std::max(most, replay.kl);
  }
  words = std::min(words, 0.3 * area.width());
  names = std::min(names, area.width() - 2 * kSide - words - 2 * kGap - kLeastBars);
  const QRectF plot(area.left() + kSide + names + kGap, area.top() + kScale,
                    area.width() - 2 * kSide - names - words - 2 * kGap,
                    kRow * static_cast<double>(rows.size()));
  if (plot.width() < px(30)) return;
  const double perNat = plot.width() / (most * 1.04);
  painter->setFont(Theme::font(Theme::kTickPx));
  const double step = roundStep(most / std::max(2.0, plot.width() / kTickGap));
  for (double at = 0; at <= most; at += step) {
    const double x = plot.left() + at * perNat;
    painter->setPen(QPen(theme().grid, px(1)));
    painter->drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));
    painter->setPen(theme().muted);
    painter->drawText(QRectF(x - px(30), area.top(), px(60), kScale - px(4)), Qt::AlignCenter,
                      at == 0 ? tr("0 nat") : shortNumberText(at));
  }
  const QColor neutral = theme().palette().single("neutral_bar");
  const QColor repairs(theme().palette().categories()[0].color);
  painter->setFont(font);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const DiagnosisReplay& replay = diagnosis.replays[rows[row]];
    const QRectF line(area.left() + kSide, plot.top() + static_cast<double>(row) * kRow,
                      area.width() - 2 * kSide, kRow);
    painter->setPen(theme().text);
    painter->drawText(
        QRectF(line.left(), line.top(), names, kRow), Qt::AlignRight | Qt::AlignVCenter,
        metrics.elidedText(QString::fromStdString(replay.label), Qt::ElideRight, names));
    painter->fillRect(QRectF(plot.left(), line.center().y() - kBar * kRow / 2,
                             std::max(1.0, replay.kl * perNat), kBar * kRow),
                      replay.repaired ? repairs : neutral);
    painter->drawText(
        QRectF(plot.right() + kGap, line.top(), words, kRow), Qt::AlignLeft | Qt::AlignVCenter,
        metrics.elidedText(texts[static_cast<qsizetype>(row)], Qt::ElideRight, words + 1));
  }
  painter->setPen(QPen(theme().violation, px(1.5), Qt::DashLine));
  const double x = plot.left() + before * perNat;
  painter->drawLine(QPointF(x, plot.top() - px(2)), QPointF(x, plot.bottom()));
  painter->setPen(QPen(theme().frame, px(1)));
  painter->drawLine(plot.topLeft(), plot.bottomLeft());
}

bool WhereView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip && result() && error().isEmpty()) {
    // Names that are cut are read here.
    const auto* help = static_cast<QHelpEvent*>(event);
    const QRectF area = paintedArea();
    const auto rows = drawn(area.height() - kScale - kGap);
    const double row = std::floor((help->pos().y() - area.top() - kScale) / kRow);
    if (row >= 0 && row < static_cast<double>(rows.size())) {
      const DiagnosisReplay& replay =
          result()->diagnosis.replays[rows[static_cast<std::size_t>(row)]];
      QToolTip::showText(help->globalPos(),
                         tr("%1: KL %2 nat, %3")
                             .arg(QString::fromStdString(replay.label), numberText(replay.kl),
                                  tokenText(*result(), replay.got)),
                         this);
      return true;
    }
    QToolTip::hideText();
  }
  return DiagnosisView::event(event);
}

std::optional<Table> WhereView::table() const {
  if (!result()) return std::nullopt;
  return replay_table(result()->diagnosis);
}

}  // namespace qaq::views
