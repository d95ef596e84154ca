#include "views/plots/error_lines.h"

#include <algorithm>
#include <cmath>

#include "core/replay/captured_layers.h"
#include "views/plots/chart_panel.h"
#include "views/plots/map_pane.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr Px<int> kTopMargin{10}, kBottomMargin{44};

}  // namespace

ErrorLines::ErrorLines(QWidget* parent) : QCustomPlot(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(180 + MapPane::kLeftMargin + MapPane::kRightMargin, 200);
  setAutoAddPlottableToLegend(false);
  addLayer("marks", layer("main"), QCustomPlot::limAbove);
  addLayer("cursor", layer("axes"), QCustomPlot::limAbove);
  layer("cursor")->setMode(QCPLayer::lmBuffered);
  plotLayout()->setRowSpacing(0);
  plotLayout()->insertRow(0);
  m_header = new PaneHeader(this);
  plotLayout()->addElement(0, 0, m_header);
  m_legend = new SeriesLegend(this);
  plotLayout()->addElement(2, 0, m_legend);
  axisRect()->setAutoMargins(QCP::msNone);
  axisRect()->setMargins(
      QMargins(MapPane::kLeftMargin, kTopMargin, MapPane::kRightMargin, kBottomMargin));
  m_layers.reset(new CellTicker(xAxis));
  m_cursor = new CursorMarks(axisRect(), "cursor");
  m_frame = new PlotFrame(axisRect(), "axes");
  m_message = new PlotMessage(axisRect(), "marks");
  m_labels = new LineLabels(axisRect(), "marks");
  m_header->setTitle(tr("Errors by layer"));
  setTheme(m_theme);
}

void ErrorLines::show(const SharedErrors& errors) {
  m_errors = errors;
  m_message->setText({});
  const CaptureInfo& info = errors->analysis->capture->info();
  const auto captured = info.n_captured_layers();
  const QString local = tr("this layer only quantized");
  const QString layers =
      captured == info.shape.n_layers
          ? QString()
          : tr(" · %1 of %2 layers captured").arg(captured).arg(info.shape.n_layers);
  m_header->setSubtitles({local + tr(" · mean, 10 % to 90 %") + layers, local + layers, local});
  m_panel = layer_errors_panel(errors->errors);
  m_layers->setCells(static_cast<int>(info.shape.n_layers));
  m_legend->set(m_panel,
                {tr("K, V, output: mean over channels of the squared difference; attention: sum "
                    "over keys of that of scores"),
                 tr("K, V, output: mean over channels; attention: sum over keys"),
                 tr("squared differences")});
  build();
  setAccessibleDescription(summary());
}

void ErrorLines::build() {
  clearGraphs();
  clearItems();
  if (m_errors) {
    fillPanel(axisRect(), nullptr, m_panel, m_theme);
    const auto n = static_cast<double>(m_errors->analysis->capture->info().shape.n_layers);
    xAxis->setRange(-0.5, n - 0.5);
  }
  m_labels->setPanel(m_panel);
  // As a map's: fixed margins, a frame of its own, ticks on whole layers.
  for (QCPAxis* axis : {xAxis, yAxis, xAxis2, yAxis2}) axis->setBasePen(Qt::NoPen);
  for (QCPAxis* axis : {xAxis, yAxis}) {
    axis->setPadding(0);
    axis->setTickLabelPadding(3);
    axis->setTickLabelFont(Theme::font(Theme::kTickPx));
    axis->setLabelFont(Theme::font(Theme::kLabelPx));
  }
  xAxis->setTicker(m_layers);
  xAxis->setSubTicks(false);
  replot(rpQueuedReplot);
}

void ErrorLines::setMessage(const QString& text) {
  m_errors = nullptr;
  m_panel = {};
  m_legend->set({}, {});
  m_message->setText(text);
  build();
}

void ErrorLines::setTheme(const Theme& theme) {
  m_theme = theme;
  setBackground(QBrush(theme.surface));
  m_header->setTheme(theme);
  m_legend->setTheme(theme);
  for (PlotOverlay* overlay :
       std::initializer_list<PlotOverlay*>{m_cursor, m_frame, m_message, m_labels}) {
    overlay->setTheme(theme);
  }
  build();
}

void ErrorLines::setUpdating(bool updating) {
  m_header->setState(updating ? tr("updating") : QString());
  m_frame->setUpdating(updating && m_errors != nullptr);
  m_legend->setUpdating(updating);
  replot(rpQueuedReplot);
}

void ErrorLines::setCompact(bool compact) {
  m_legend->setCompact(compact);
  replot(rpQueuedReplot);
}

void ErrorLines::setHovered(const std::optional<std::int64_t>& layer) {
  m_cursor->setHovered({.row = {}, .column = layer});
  QCustomPlot::layer("cursor")->replot();
}

void ErrorLines::setCurrent(const std::optional<std::int64_t>& layer) {
  m_cursor->setLocked({.row = {}, .column = layer});
  replot(rpQueuedReplot);
}

QString ErrorLines::layerText(std::int64_t layer) const {
  if (!m_errors) return {};
  const auto found = captured_index(m_errors->errors.layers, layer);
  if (!found) return tr("layer %1 was not captured").arg(layer);
  const auto at = static_cast<std::size_t>(*found);
  QStringList parts;
  for (const ChartSeries& series : m_panel.series) {
    if (series.mark != ChartMark::band) continue;
    const ChartPoint& point = series.points[at];
    const auto which = static_cast<std::size_t>(series.style);
    const QString name = QString::fromUtf8(ChoiceNames<ErrorOf>::names[which].data());
    parts += tr("%1 %2 (%3 to %4)")
                 .arg(name, numberText(point.y), numberText(point.low), numberText(point.high));
  }
  return tr("layer %1: %2").arg(layer).arg(parts.join(QStringLiteral(", ")));
}

QString ErrorLines::summary() const {
  if (!m_message->text().isEmpty() || !m_errors) return m_message->text();
  QStringList parts;
  for (const ErrorOf which : kAllErrors) {
    if (!m_errors->errors.has(which)) continue;
    const auto& means = m_errors->errors.of(which).mean;
    const auto most = std::ranges::max_element(means);
    const auto at = static_cast<std::size_t>(most - means.begin());
    const auto name = ChoiceNames<ErrorOf>::names[static_cast<std::size_t>(which)];
    parts += tr("%1 %2 in layer %3")
                 .arg(QString::fromUtf8(name.data()), numberText(*most))
                 .arg(m_errors->errors.layers[at]);
  }
  return tr("Mean squared errors of each layer quantized alone; the largest: %1.")
      .arg(parts.join(QStringLiteral(", ")));
}

std::optional<std::int64_t> ErrorLines::layerAt(const QPointF& position) const {
  if (!m_errors || !axisRect()->rect().contains(position.toPoint())) return std::nullopt;
  const std::int64_t n = m_errors->analysis->capture->info().shape.n_layers;
  const auto layer = static_cast<std::int64_t>(std::lround(xAxis->pixelToCoord(position.x())));
  return std::clamp<std::int64_t>(layer, 0, n - 1);
}

void ErrorLines::updateLayout() {
  // Ticks are made before the axes get their size: the second pass sees it.
  QCustomPlot::updateLayout();
  QCustomPlot::updateLayout();
}

void ErrorLines::mouseMoveEvent(QMouseEvent* event) {
  QCustomPlot::mouseMoveEvent(event);
  const auto layer = layerAt(event->position());
  setToolTip(layer ? layerText(*layer) : QString());
  emit layerHovered(layer);
}

void ErrorLines::mouseReleaseEvent(QMouseEvent* event) {
  QCustomPlot::mouseReleaseEvent(event);
  if (event->button() != Qt::LeftButton) return;
  if (const auto layer = layerAt(event->position())) emit layerClicked(*layer);
}

void ErrorLines::leaveEvent(QEvent* event) {
  QCustomPlot::leaveEvent(event);
  emit layerHovered(std::nullopt);
}

void ErrorLines::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Left) {
    emit layerStepped(-1);
  } else if (event->key() == Qt::Key_Right) {
    emit layerStepped(1);
  } else {
    QCustomPlot::keyPressEvent(event);
  }
}

void ErrorLines::paintEvent(QPaintEvent* event) {
  QCustomPlot::paintEvent(event);
  // The frame of the pane and the focus ring belong to the window, not to figures.
  QPainter painter(this);
  painter.setPen(QPen(hasFocus() ? m_theme.accent : m_theme.border, px(1)));
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

}  // namespace qaq::views
