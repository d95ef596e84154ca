#include "views/panels/why_panel.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "views/plots/diagnosis_text.h"
#include "views/plots/diagnosis_view.h"
#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kSide{12}, kTop{8}, kSign{20}, kBarRow{20};  // px
constexpr Px<double> kBarWidth{64}, kBarHeight{6};

}  // namespace

CauseItem::CauseItem(SharedDiagnosis result, std::size_t index, QWidget* parent)
    : QWidget(parent), m_result(std::move(result)), m_index(index) {
  const QString title = QString::fromStdString(cause().title);
  setToolTip(QString::fromStdString(cause().evidence));
  setFocusPolicy(Qt::TabFocus);
  setAccessibleName(QStringLiteral("%1: %2").arg(title, stateText()));
  setAccessibleDescription(
      QStringList{counterfactualText(), effectText(), toolTip()}.join(QStringLiteral(". ")));
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
}

QString CauseItem::stateText() const {
  switch (cause().verdict) {
    case CauseVerdict::confirmed:
      return tr("confirmed");
    case CauseVerdict::hypothesis:
      return tr("hypothesis");
    case CauseVerdict::ruled_out:
      break;
  }
  return tr("ruled out");
}

QString CauseItem::signText() const {
  switch (cause().verdict) {
    case CauseVerdict::confirmed:
      return QStringLiteral("✓");
    case CauseVerdict::hypothesis:
      return QStringLiteral("○");
    case CauseVerdict::ruled_out:
      break;
  }
  return QStringLiteral("✗");
}

QColor CauseItem::ink() const {
  switch (cause().verdict) {
    case CauseVerdict::confirmed:
      return m_theme.ok;
    case CauseVerdict::hypothesis:
      return m_theme.warning;
    case CauseVerdict::ruled_out:
      break;
  }
  return m_theme.muted;
}

QString CauseItem::counterfactualText() const {
  // What was not replayed tells why.
  if (cause().n_cells == 0) return QString::fromStdString(cause().evidence);
  return tr("Counterfactual: %1, in %2")
      .arg(QString::fromStdString(cause().counterfactual),
           counted(cause().n_cells, tr("1 cell"), tr("%1 cells")));
}

QString CauseItem::effectText() const {
  const DiagnosedCause& of = cause();
  if (of.n_cells == 0) return {};
  const QString kl = tr("KL %1 → %2").arg(numberText(of.kl_before), numberText(of.kl_after));
  const auto& replays = m_result->diagnosis.replays;
  const auto replay = std::ranges::find_if(replays, [&](const DiagnosisReplay& each) {
    return each.stage == "why" && each.kl == of.kl_after && each.n_other == of.n_cells;
  });
  if (replay == replays.end()) return kl;
  const DiagnosedStep& step = m_result->diagnosis.explained();
  const QString token = tokenText(*m_result, replay->got);
  const bool before = replay->got == step.score.got;
  if (step.score.score.same_top) return kl;
  return kl + (of.top_restored ? tr(", %1 restored").arg(token)
               : before        ? tr(", still %1").arg(token)
                               : tr(", now %1").arg(token));
}

QString CauseItem::titleText() const {
  QString text = QString::fromStdString(cause().title);
  if (!text.isEmpty()) text[0] = text[0].toUpper();
  return text;
}

QRectF CauseItem::titleBox(double width) const {
  const double state = QFontMetricsF(Theme::font(Theme::kLabelPx)).horizontalAdvance(stateText());
  const QRectF room(kSide + kSign, kTop, width - 2 * kSide - kSign - state - px(8), 1000);
  return QFontMetricsF(Theme::font(Theme::kLabelPx, true))
      .boundingRect(room, Qt::AlignLeft | Qt::TextWordWrap, titleText());
}

QRectF CauseItem::textBox(double width) const {
  const QFontMetricsF metrics(Theme::font(Theme::kLabelPx));
  const QRectF room(kSide + kSign, titleBox(width).bottom() + px(2), width - 2 * kSide - kSign,
                    1000);
  return metrics.boundingRect(room, Qt::AlignLeft | Qt::TextWordWrap, counterfactualText());
}

int CauseItem::heightForWidth(int width) const {
  const double bar = cause().n_cells > 0 ? double{kBarRow} : 0;
  return static_cast<int>(std::ceil(textBox(width).bottom() + bar + kTop));
}

void CauseItem::setTheme(const Theme& theme) {
  m_theme = theme;
  update();
}

void CauseItem::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), m_theme.surface);
  painter.setPen(m_theme.border);
  painter.drawLine(0, height() - 1, width(), height() - 1);
  const QRectF name = titleBox(width());
  const QRectF line(kSide, kTop, width() - 2 * kSide, 100);
  const QFont bold = Theme::font(Theme::kLabelPx, true), plain = Theme::font(Theme::kLabelPx);
  painter.setFont(bold);
  painter.setPen(ink());
  painter.drawText(line, Qt::AlignLeft | Qt::AlignTop, signText());
  painter.setFont(plain);
  painter.drawText(line, Qt::AlignRight | Qt::AlignTop, stateText());
  painter.setFont(bold);
  painter.setPen(cause().verdict == CauseVerdict::ruled_out ? m_theme.muted : m_theme.text);
  painter.drawText(name.adjusted(0, 0, 1, 1), Qt::AlignLeft | Qt::TextWordWrap, titleText());
  painter.setFont(plain);
  painter.setPen(m_theme.muted);
  const QRectF words = textBox(width());
  painter.drawText(
      QRectF(words.left(), words.top(), width() - 2 * kSide - kSign + 1, words.height() + 1),
      Qt::AlignLeft | Qt::TextWordWrap, counterfactualText());
  if (cause().n_cells == 0) return;
  const QRectF row(kSide + kSign, words.bottom() + px(2), width() - 2 * kSide - kSign,
                   kBarRow - px(2));
  const QRectF bar(row.left(), row.center().y() - kBarHeight / 2, kBarWidth, kBarHeight);
  const double most = std::max({cause().kl_before, cause().kl_after, 1e-12});
  const double perNat = kBarWidth / (1.08 * most);
  painter.fillRect(bar, m_theme.grid);
  painter.fillRect(QRectF(bar.left(), bar.top(), cause().kl_after * perNat, kBarHeight), ink());
  const double before = bar.left() + cause().kl_before * perNat;
  painter.fillRect(QRectF(before - 1, bar.top() - px(3), px(2), kBarHeight + px(6)), m_theme.text);
  painter.setPen(m_theme.text);
  const QRectF effect = row.adjusted(kBarWidth + px(8), 0, 0, 0);
  painter.drawText(effect, Qt::AlignLeft | Qt::AlignVCenter,
                   QFontMetricsF(plain).elidedText(effectText(), Qt::ElideRight, effect.width()));
}

WhyPanel::WhyPanel(Diagnoser* diagnoser, QWidget* parent)
    : QWidget(parent),
      m_diagnoser(diagnoser),
      m_old(new QLabel),
      m_summary(new QLabel),
      m_scroll(new QScrollArea),
      m_cells(new QPushButton(tr("Show cells"))),
      m_export(new QPushButton(tr("Export report…"))) {
  setObjectName(QStringLiteral("whyPanel"));
  setMinimumSize(200, 60);
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(1, 1, 1, 8);
  column->setSpacing(0);
  for (QLabel* each : {m_old, m_summary}) {
    each->setWordWrap(true);
    each->setTextFormat(Qt::PlainText);
    each->setFont(Theme::font(Theme::kLabelPx));
    each->setContentsMargins(12, 8, 12, 8);
  }
  m_summary->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  auto* inner = new QWidget;
  m_list = new QVBoxLayout(inner);
  m_list->setContentsMargins(0, 0, 0, 0);
  m_list->setSpacing(0);
  m_list->addWidget(m_old);
  m_list->addWidget(m_summary);
  m_list->addStretch(1);
  m_scroll->setWidget(inner);
  m_scroll->setWidgetResizable(true);
  m_scroll->setFrameShape(QFrame::NoFrame);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_scroll->setAccessibleName(tr("Causes"));
  column->addWidget(m_scroll, 1);
  auto* buttons = new QHBoxLayout;
  buttons->setContentsMargins(12, 8, 12, 0);
  buttons->addWidget(m_cells);
  buttons->addStretch(1);
  buttons->addWidget(m_export);
  column->addLayout(buttons);
  m_cells->setToolTip(tr("Locks the strongest of the cells to blame, and keeps them as a slice"));
  m_export->setToolTip(tr("Writes all of this as one HTML page, or as Markdown with pictures"));
  connect(m_cells, &QPushButton::clicked, this, &WhyPanel::cellsWanted);
  connect(m_export, &QPushButton::clicked, this, &WhyPanel::exportWanted);
  connect(diagnoser, &Diagnoser::changed, this, &WhyPanel::refresh);
  refresh();
}

void WhyPanel::setParams(const ScopeParams& params) {
  m_params = params;
  refresh();
}

void WhyPanel::refresh() {
  const SharedDiagnosis& result = m_diagnoser->result();
  const bool old = result && !result->isOf(m_params);
  m_old->setVisible(old);
  if (old) {
    m_old->setText(QStringLiteral("%1: %2").arg(DiagnosisView::oldText(), settingText(*result)));
  }
  m_summary->setText(result ? summaryText(*result) : DiagnosisView::needsDiagnosis());
  m_cells->setEnabled(result && !result->diagnosis.cells.empty());
  m_export->setEnabled(result && m_diagnoser->maker().write);
  if (m_filled != result) fill();
}

void WhyPanel::fill() {
  m_filled = m_diagnoser->result();
  for (CauseItem* item : m_causes) delete item;
  m_causes.clear();
  if (!m_filled) return;
  for (std::size_t i = 0; i < m_filled->diagnosis.causes.size(); ++i) {
    auto* item = new CauseItem(m_filled, i);
    item->setTheme(m_theme);
    m_list->insertWidget(m_list->count() - 1, item);
    m_causes.push_back(item);
  }
}

QString WhyPanel::summary() const { return m_summary->text(); }

QString WhyPanel::oldText() const { return m_old->isHidden() ? QString() : m_old->text(); }

void WhyPanel::setTheme(const Theme& theme) {
  m_theme = theme;
  m_summary->setStyleSheet(QStringLiteral("color: %1; border-bottom: 1px solid %2")
                               .arg(theme.text.name(), theme.border.name()));
  m_old->setStyleSheet(QStringLiteral("color: %1").arg(theme.warning.name()));
  setStyleSheet(QStringLiteral("#whyPanel { background: %1; border: 1px solid %2; }")
                    .arg(theme.surface.name(), theme.border.name()));
  for (CauseItem* item : m_causes) item->setTheme(theme);
}

}  // namespace qaq::views
