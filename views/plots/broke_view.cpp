#include "views/plots/broke_view.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "core/analysis/diagnosis_tables.h"
#include "views/plots/diagnosis_text.h"
#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kLeft{62}, kRight{14}, kNames{62}, kCallout{44}, kSign{14};  // px
constexpr Px<double> kNameGap{17}, kTickGap{44}, kMostBar{28};
constexpr double kBar = 0.6;
constexpr Px<double> kLeastPlot{60};  // px of height, below which names or callout are left out

}  // namespace

struct BrokeView::Plot {
  QRectF area;      ///< of the bars
  double most = 1;  ///< KL at the top
  int n = 0;
  bool hasNames = true, hasCallout = true;

  double middle(int step) const { return area.left() + (step + 0.5) * area.width() / n; }
  double top(double kl) const { return area.bottom() - kl / most * area.height(); }
  QRectF bar(int step, double kl) const {
    const double width = std::clamp<double>(kBar * area.width() / n, 1, kMostBar);
    return {middle(step) - width / 2, top(kl), width, area.bottom() - top(kl)};
  }
};

BrokeView::Plot BrokeView::plotIn(const QRectF& area) const {
  const auto& steps = result()->diagnosis.steps;
  Plot plot{.area = {}, .n = static_cast<int>(steps.size())};
  const double height = area.height() - kSign - px(8);
  plot.hasNames = height - kNames >= kLeastPlot;
  const double below = plot.hasNames ? double{kNames} : px(22);
  plot.hasCallout = height - below - kCallout >= kLeastPlot;
  plot.area = area.adjusted(kLeft, kSign + (plot.hasCallout ? double{kCallout} : 0), -kRight, -below);
  double most = 0;
  for (const DiagnosedStep& step : steps) most = std::max(most, step.score.score.kl);
  const double ticks = std::max(2.0, plot.area.height() / kTickGap);
  if (most > 0) plot.most = std::ceil(most / roundStep(most / ticks)) * roundStep(most / ticks);
  return plot;
}

QString BrokeView::subtitle() const {
  const Diagnosis& diagnosis = result()->diagnosis;
  return tr("%1 behind a quantized prefix of %2 · ▲ top token changed · ○ coin-flip, margin < %3")
      .arg(counted(std::ssize(diagnosis.steps), tr("1 step"), tr("%1 steps")),
           counted(diagnosis.n_prefix, tr("1 token"), tr("%1 tokens")),
           shortNumberText(diagnosis.coin_flip_margin));
}

void BrokeView::setStep(int step) {
  if (m_step == step) return;
  m_step = step;
  update();
}

QRectF BrokeView::barOf(int step) const {
  return plotIn(paintedArea())
      .bar(step, result()->diagnosis.steps[static_cast<std::size_t>(step)].score.score.kl);
}

void BrokeView::paintPicture(QPainter* painter, const QRectF& area) {
  const Plot plot = plotIn(area);
  if (plot.area.height() < px(20) || plot.area.width() < px(40)) return;
  paintScale(painter, plot);
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  const Diagnosis& diagnosis = result()->diagnosis;
  const QColor neutral = theme().palette().single("neutral_bar");
  for (int i = 0; i < plot.n; ++i) {
    const DiagnosedStep& step = diagnosis.steps[static_cast<std::size_t>(i)];
    const QRectF bar = plot.bar(i, step.score.score.kl);
    const bool diverged = step.verdict == StepVerdict::diverged;
    if (i == m_step) {
      const double half = std::max(bar.width() / 2 + px(4), px(6));
      painter->fillRect(
          QRectF(plot.middle(i) - half, plot.area.top(), 2 * half, plot.area.height()),
          theme().accentSoft);
    }
    painter->fillRect(bar, diverged ? theme().violation : neutral);
    const QPointF sign(plot.middle(i), bar.top() - kSign / 2 - 1);
    if (diverged) {
      painter->setPen(Qt::NoPen);
      painter->setBrush(theme().violation);
      const double half = std::min(px(5), 0.5 * plot.area.width() / plot.n + 1);
      painter->drawPolygon(QPolygonF(
          {sign + QPointF(-half, px(4)), sign + QPointF(half, px(4)), sign + QPointF(0, -px(5))}));
    } else if (step.verdict == StepVerdict::coin_flip) {
      painter->setPen(QPen(theme().text, px(1.5)));
      painter->setBrush(Qt::NoBrush);
      painter->drawEllipse(sign, px(4), px(4));
    }
  }
  painter->restore();
  if (plot.hasNames) paintNames(painter, plot);
  paintCallout(painter, plot);
  painter->setPen(QPen(theme().frame, px(1)));
  painter->setBrush(Qt::NoBrush);
  painter->drawLine(plot.area.bottomLeft(), plot.area.bottomRight());
  painter->drawLine(plot.area.topLeft(), plot.area.bottomLeft());
}

void BrokeView::paintScale(QPainter* painter, const Plot& plot) const {
  painter->setFont(Theme::font(Theme::kTickPx));
  const double step = roundStep(plot.most / std::max(2.0, plot.area.height() / kTickGap));
  for (double at = 0; at <= plot.most * (1 + 1e-9); at += step) {
    const double y = plot.top(at);
    painter->setPen(QPen(theme().grid, px(1)));
    painter->drawLine(QPointF(plot.area.left(), y), QPointF(plot.area.right(), y));
    painter->setPen(theme().muted);
    painter->drawText(QRectF(plot.area.left() - px(50), y - px(8), px(44), px(16)),
                      Qt::AlignRight | Qt::AlignVCenter,
                      at == 0 ? QStringLiteral("0") : shortNumberText(at));
  }
  painter->save();
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->setPen(theme().text);
  painter->translate(plot.area.left() - px(45), plot.area.center().y());
  painter->rotate(-90);
  painter->drawText(QRectF(-px(90), -px(12), px(180), px(16)), Qt::AlignCenter, tr("KL [nat]"));
  painter->restore();
}

void BrokeView::paintNames(QPainter* painter, const Plot& plot) const {
  painter->setFont(Theme::font(Theme::kTickPx));
  const QFontMetricsF metrics(painter->font());
  const int every = std::max(1, static_cast<int>(std::ceil(kNameGap * plot.n / plot.area.width())));
  const auto& steps = result()->diagnosis.steps;
  for (int i = 0; i < plot.n; i += every) {
    const DiagnosedStep& step = steps[static_cast<std::size_t>(i)];
    const bool isExplained = i == result()->diagnosis.step;
    painter->save();
    painter->setPen(isExplained ? theme().text : theme().muted);
    painter->translate(plot.middle(i) + px(4), plot.area.bottom() + px(8));
    painter->rotate(-45);
    const QString word = QString::fromStdString(result()->subject.token_text(step.token)).trimmed();
    const QString name =
        metrics.elidedText(word, Qt::ElideRight, 46) + QStringLiteral(" %1").arg(step.position);
    painter->drawText(QRectF(-px(100), -px(2), px(100), px(14)), Qt::AlignRight | Qt::AlignVCenter,
                      name);
    painter->restore();
  }
}

void BrokeView::paintCallout(QPainter* painter, const Plot& plot) const {
  const Diagnosis& diagnosis = result()->diagnosis;
  const int at = static_cast<int>(diagnosis.step);
  const DiagnosedStep& step = diagnosis.explained();
  const QRectF bar = plot.bar(at, step.score.score.kl);
  const QRectF box(QPointF(bar.left() - px(4), bar.top() - kSign - px(3)),
                   QPointF(bar.right() + px(4), plot.area.bottom()));
  painter->setBrush(Qt::NoBrush);
  painter->setPen(QPen(theme().accent, px(1.5)));
  painter->drawRect(box);
  if (!plot.hasCallout) return;
  const QString head = tr("%1, after %2").arg(explainedText(*result()), readText(*result(), step));
  const QString rest =
      step.score.score.same_top
          ? tr("%1 as expected, KL %2")
                .arg(tokenText(*result(), step.score.got), numberText(step.score.score.kl))
          : tr("%1, KL %2").arg(changeText(*result(), step), numberText(step.score.score.kl));
  const QFont bold = Theme::font(Theme::kLabelPx, true), plain = Theme::font(Theme::kLabelPx);
  const double width = std::max(QFontMetricsF(bold).horizontalAdvance(head),
                                QFontMetricsF(plain).horizontalAdvance(rest)) +
                       px(8);
  const double left = std::clamp(bar.center().x() + px(12), plot.area.left(),
                                 std::max(plot.area.left(), plot.area.right() - width));
  const double top = plot.area.top() - kSign - kCallout + px(2);
  painter->setPen(QPen(theme().frame, px(1)));
  painter->drawPolyline(
      QPolygonF({QPointF(left - px(2), top + px(10)), QPointF(bar.center().x(), top + px(10)),
                 QPointF(bar.center().x(), box.top())}));
  painter->fillRect(QRectF(left, top, width, kCallout - px(8)), theme().surface);
  painter->setFont(bold);
  painter->setPen(theme().text);
  painter->drawText(QRectF(left + px(4), top, width, px(18)), Qt::AlignLeft | Qt::AlignVCenter,
                    head);
  painter->setFont(plain);
  painter->setPen(theme().muted);
  painter->drawText(QRectF(left + px(4), top + px(18), width, px(18)),
                    Qt::AlignLeft | Qt::AlignVCenter, rest);
}

std::optional<int> BrokeView::stepAt(const QPointF& position) const {
  if (!result() || !error().isEmpty()) return std::nullopt;
  const Plot plot = plotIn(paintedArea());
  if (position.x() < plot.area.left() || position.x() >= plot.area.right() ||
      position.y() < paintedArea().top()) {
    return std::nullopt;
  }
  return static_cast<int>((position.x() - plot.area.left()) / plot.area.width() * plot.n);
}

void BrokeView::mousePressEvent(QMouseEvent* event) {
  const auto step = stepAt(event->position());
  if (event->button() == Qt::LeftButton && step) emit stepChosen(*step);
  DiagnosisView::mousePressEvent(event);
}

void BrokeView::keyPressEvent(QKeyEvent* event) {
  const int by = event->key() == Qt::Key_Right ? 1 : event->key() == Qt::Key_Left ? -1 : 0;
  if (by == 0 || !result()) return DiagnosisView::keyPressEvent(event);
  emit stepChosen(
      std::clamp(m_step + by, 0, static_cast<int>(result()->diagnosis.steps.size()) - 1));
}

bool BrokeView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const auto at = stepAt(help->pos())) {
      const DiagnosedStep& step = result()->diagnosis.steps[static_cast<std::size_t>(*at)];
      QToolTip::showText(help->globalPos(),
                         tr("step %1, after %2\n%3\nKL %4 nat\n%5")
                             .arg(*at)
                             .arg(readText(*result(), step), changeText(*result(), step),
                                  numberText(step.score.score.kl), verdictText(*result(), *at)),
                         this);
      return true;
    }
    QToolTip::hideText();
  }
  return DiagnosisView::event(event);
}

std::optional<Table> BrokeView::table() const {
  if (!result()) return std::nullopt;
  return step_table(result()->diagnosis);
}

}  // namespace qaq::views
