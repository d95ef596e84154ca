#include "views/plots/chart_view.h"

#include <QLabel>
#include <QPainter>
#include <QStackedLayout>

#include "views/plots/chart_words.h"

namespace qaq::views {

ChartView::ChartView(SelectionModel* selection, QWidget* parent)
    : PlotView(selection, parent),
      m_column(new QVBoxLayout(this)),
      m_pages(new QStackedLayout),
      m_plot(new ChartPlot),
      m_text(new QLabel),
      m_state(new QLabel(tr("updating"), this)) {
  m_column->setContentsMargins(1, 1, 1, 1);
  m_column->setSpacing(0);
  m_column->addLayout(m_pages, 1);
  m_pages->addWidget(m_plot);
  m_pages->addWidget(m_text);
  m_text->setAlignment(Qt::AlignCenter);
  m_text->setWordWrap(true);
  m_text->setMargin(16);
  m_text->setFont(Theme::font(Theme::kLabelPx));
  m_state->setFont(Theme::font(Theme::kLabelPx));
  m_state->hide();
  m_plot->setFocusPolicy(Qt::StrongFocus);
}

void ChartView::setChart(const Chart& chart) {
  m_message.clear();
  m_plot->setChart(chart);
  m_plot->setAccessibleDescription(summary());
  m_pages->setCurrentWidget(m_plot);
}

void ChartView::addControls(QWidget* controls) { m_column->insertWidget(0, controls); }

void ChartView::setMessage(const QString& text) {
  m_message = text;
  m_text->setText(text);
  m_pages->setCurrentWidget(m_text);
}

void ChartView::setTheme(const Theme& theme) {
  m_theme = theme;
  m_plot->setTheme(theme);
  const auto muted = QStringLiteral("color: %1").arg(theme.muted.name());
  m_text->setStyleSheet(muted);
  m_state->setStyleSheet(muted);
  update();
}

void ChartView::setUpdating(bool updating) {
  m_state->setVisible(updating);
  m_state->raise();
}

void ChartView::paintFigure(QCPPainter* painter, const QSize& size) {
  m_plot->toPainter(painter, size.width(), size.height());
}

QString ChartView::summary() const {
  if (!m_message.isEmpty()) return m_message;
  const Chart& chart = m_plot->chart();
  QStringList sentences{chartWords(chart.title)};
  if (!chart.subtitle.empty()) sentences += chartWords(chart.subtitle);
  for (const std::string& note : chart.notes) sentences += chartWords(note);
  return sentences.join(QStringLiteral(". "));
}

void ChartView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), m_theme.surface);
  painter.setPen(m_theme.border);
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void ChartView::resizeEvent(QResizeEvent* event) {
  PlotView::resizeEvent(event);
  m_state->adjustSize();
  m_state->move(width() - m_state->width() - 12, 8);
}

}  // namespace qaq::views
