#include "views/plots/delta_view.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QStackedLayout>
#include <algorithm>
#include <cmath>
#include <qcustomplot.h>

#include "views/plots/compare_view.h"
#include "views/plots/number_format.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<int> kRowHeight{24}, kPad{8};  // px
constexpr Px<int> kFigureWidth{1080};

// "0.317", "54.8 %", "25.3 KiB"; `isDifference`: with its sign, of shares in points of per cent.
QString amountText(double value, const std::string& unit, bool isDifference) {
  const QString sign = isDifference && value > 0 ? QStringLiteral("+") : QString();
  if (unit == "%") {
    return sign + numberText(100 * value) +
           (isDifference ? DeltaView::tr(" pp") : DeltaView::tr(" %"));
  }
  if (unit != "byte") return sign + numberText(value);
  const QString size = bytesText(std::abs(value));
  return (value < 0 ? QStringLiteral("−") : sign) + size;
}

QString metricName(const MetricDelta& metric) {
  const QString title = QString::fromStdString(metric.title);
  return metric.unit == "nat" ? DeltaView::tr("%1, nat").arg(title) : title;
}

QString wordText(const MetricDelta& metric) {
  switch (metric.word()) {
    case DeltaWord::better:
      return DeltaView::tr("▲ better");
    case DeltaWord::worse:
      return DeltaView::tr("▼ worse");
    case DeltaWord::same:
      break;
  }
  return metric.a != metric.b ? DeltaView::tr("same, within the noise") : DeltaView::tr("same");
}

QStringList cellsOf(const MetricDelta& metric) {
  const auto relative = metric.relative();
  const QString interval =
      metric.interval
          ? DeltaView::tr("%1 … %2").arg(amountText(metric.interval->low, metric.unit, true),
                                         amountText(metric.interval->high, metric.unit, true))
          : DeltaView::tr("exact");
  return {metricName(metric),
          amountText(metric.a, metric.unit, false),
          amountText(metric.b, metric.unit, false),
          amountText(metric.absolute(), metric.unit, true),
          relative ? (*relative > 0 ? QStringLiteral("+") : QString()) +
                         numberText(100 * *relative) + DeltaView::tr(" %")
                   : QString(),
          interval,
          wordText(metric)};
}

QTableWidget* newTable(const QString& name, const QStringList& headers) {
  auto* table = new QTableWidget;
  table->setAccessibleName(name);
  table->setColumnCount(static_cast<int>(headers.size()));
  table->setHorizontalHeaderLabels(headers);
  table->verticalHeader()->hide();
  table->verticalHeader()->setDefaultSectionSize(kRowHeight);
  table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->setShowGrid(false);
  table->setFrameShape(QFrame::NoFrame);
  table->setWordWrap(false);
  table->setFont(Theme::font(Theme::kLabelPx));
  table->horizontalHeader()->setFont(Theme::font(Theme::kLabelPx));
  table->horizontalHeader()->setHighlightSections(false);
  return table;
}

void setCell(QTableWidget* table, int row, int column, const QString& text) {
  auto* item = new QTableWidgetItem(text);
  item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable);
  item->setTextAlignment(
      Qt::Alignment(QFlag(table->horizontalHeaderItem(column)->textAlignment())));
  table->setItem(row, column, item);
}

}  // namespace

DeltaView::DeltaView(SelectionModel* selection, QWidget* parent)
    : PlotView(selection, parent),
      m_stack(new QStackedLayout(this)),
      m_text(new QLabel),
      m_metrics(newTable(tr("Metrics of A and B"),
                         {tr("Metric"), tr("A"), tr("B"), tr("B − A"), tr("Relative"),
                          tr("95 % interval of B − A"), tr("B is")})),
      m_settings(
          newTable(tr("Settings that differ"), {tr("Settings that differ"), tr("A"), tr("B")})),
      m_equal(new QLabel) {
  const auto head = [](QTableWidget* table, int column, Qt::Alignment side, const QString& tip) {
    QTableWidgetItem* item = table->horizontalHeaderItem(column);
    item->setTextAlignment(side | Qt::AlignVCenter);
    item->setToolTip(tip);
  };
  head(m_metrics, kMetric, Qt::AlignLeft, tr("What is compared, over what both runs hold"));
  head(m_metrics, kA, Qt::AlignRight, tr("The metric of A"));
  head(m_metrics, kB, Qt::AlignRight, tr("The metric of B"));
  head(m_metrics, kAbsolute, Qt::AlignRight, tr("B − A"));
  head(m_metrics, kRelative, Qt::AlignRight, tr("(B − A) / |A|; nothing where A is 0"));
  head(m_metrics, kInterval, Qt::AlignRight,
       tr("Of the mean of B − A over steps, paired, by bootstrap. Exact: of all cells, no sample"));
  head(m_metrics, kWord, Qt::AlignLeft,
       tr("Better or worse by the metric's direction; the same where both are equal or the "
          "interval holds 0"));
  head(m_settings, 0, Qt::AlignLeft, tr("As --set takes it"));
  head(m_settings, 1, Qt::AlignRight, tr("In A"));
  head(m_settings, 2, Qt::AlignRight, tr("In B"));
  m_metrics->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  m_metrics->horizontalHeader()->setSectionResizeMode(kMetric, QHeaderView::Stretch);
  m_settings->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  m_settings->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
  m_equal->setFont(Theme::font(Theme::kLabelPx));
  m_equal->setWordWrap(true);
  m_equal->setMargin(kPad);
  auto* both = new QWidget;
  auto* row = new QHBoxLayout(both);
  row->setContentsMargins(1, 1, 1, 1);
  row->setSpacing(kPad);
  row->addWidget(m_metrics, 2);
  auto* right = new QWidget;
  auto* column = new QVBoxLayout(right);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(m_settings, 1);
  column->addWidget(m_equal);
  row->addWidget(right, 1);
  m_text->setAlignment(Qt::AlignCenter);
  m_text->setWordWrap(true);
  m_text->setMargin(16);
  m_text->setFont(Theme::font(Theme::kLabelPx));
  m_stack->addWidget(both);
  m_stack->addWidget(m_text);
}

void DeltaView::show(const SharedSlice& slice) {
  if (!slice->against) {
    setMessage(needsReference());
    return;
  }
  const Against& against = *slice->against;
  if (!against.alignment.allowed()) {
    setMessage(tr("Not compared: %1.").arg(QString::fromStdString(against.alignment.refusal)));
    return;
  }
  // The last table stays until the next is whole.
  if (!against.comparison) return;
  m_message.clear();
  m_stack->setCurrentIndex(0);
  if (m_comparison == against.comparison) return;
  m_comparison = against.comparison;
  fill();
}

void DeltaView::fill() {
  const Comparison& both = *m_comparison;
  m_metrics->setRowCount(static_cast<int>(both.metrics.size()));
  for (int row = 0; row < m_metrics->rowCount(); ++row) {
    const QStringList cells = cellsOf(both.metrics[static_cast<std::size_t>(row)]);
    for (int column = 0; column < kColumns; ++column) {
      setCell(m_metrics, row, column, cells[column]);
    }
    m_metrics->item(row, kMetric)->setToolTip(cells[kMetric]);
  }
  m_settings->setRowCount(static_cast<int>(both.settings.size()));
  const auto valueText = [](const std::string& value) {
    return value.empty() ? QStringLiteral("–") : QString::fromStdString(value);
  };
  for (int row = 0; row < m_settings->rowCount(); ++row) {
    const SettingDelta& setting = both.settings[static_cast<std::size_t>(row)];
    setCell(m_settings, row, 0, QString::fromStdString(setting.name));
    setCell(m_settings, row, 1, valueText(setting.a));
    setCell(m_settings, row, 2, valueText(setting.b));
  }
  m_equal->setText(both.settings.empty() ? tr("All settings are equal.")
                                         : tr("All other settings are equal."));
  color();
  setAccessibleDescription(summary());
}

void DeltaView::color() {
  const auto& categories = m_theme.palette().categories();
  for (QTableWidget* table : {m_metrics, m_settings}) {
    for (const int letter : {0, 1}) {
      table->horizontalHeaderItem(1 + letter)
          ->setForeground(QColor(categories[static_cast<std::size_t>(letter)].color));
    }
  }
  if (!m_comparison) return;
  for (int row = 0; row < m_metrics->rowCount(); ++row) {
    const MetricDelta& metric = m_comparison->metrics[static_cast<std::size_t>(row)];
    const DeltaWord word = metric.word();
    const QColor ink = word == DeltaWord::same ? m_theme.muted : m_theme.text;
    for (int column = 0; column < kColumns; ++column) {
      m_metrics->item(row, column)->setForeground(ink);
    }
    if (word != DeltaWord::same) {
      m_metrics->item(row, kWord)
          ->setForeground(word == DeltaWord::better ? m_theme.ok : m_theme.warning);
    }
  }
}

void DeltaView::setMessage(const QString& text) {
  m_message = text;
  m_comparison = nullptr;
  m_text->setText(text);
  m_stack->setCurrentWidget(m_text);
  setAccessibleDescription(text);
}

void DeltaView::setTheme(const Theme& theme) {
  m_theme = theme;
  const auto muted = QStringLiteral("color: %1").arg(theme.muted.name());
  m_text->setStyleSheet(muted);
  m_equal->setStyleSheet(muted);
  color();
}

void DeltaView::setUpdating(bool updating) { m_metrics->setEnabled(!updating); }

QSize DeltaView::figureSize() const {
  const int rows = std::max(m_metrics->rowCount(), m_settings->rowCount());
  return {kFigureWidth, (rows + 1) * kRowHeight + 2 * kPad};
}

void DeltaView::paintRows(QCPPainter* painter, const QTableWidget* rows, const QRectF& area) const {
  const QFontMetricsF metrics(Theme::font(Theme::kLabelPx));
  const int n = rows->columnCount();
  QList<double> widths(n);
  double all = 0;
  for (int column = 0; column < n; ++column) {
    double widest = metrics.horizontalAdvance(rows->horizontalHeaderItem(column)->text());
    for (int row = 0; row < rows->rowCount(); ++row) {
      widest = std::max(widest, metrics.horizontalAdvance(rows->item(row, column)->text()));
    }
    widths[column] = widest + 2 * kPad;
    all += widths[column];
  }
  const double between = std::max(0.0, (area.width() - all) / std::max(1, n - 1));
  painter->fillRect(QRectF(area.left(), area.top(), area.width(), kRowHeight), m_theme.raised);
  double x = area.left();
  for (int column = 0; column < n; ++column) {
    const auto draw = [&](int line, const QTableWidgetItem* item, const QColor& ink) {
      painter->setPen(ink);
      painter->drawText(QRectF(x + kPad, area.top() + line * kRowHeight,
                               widths[column] - 2 * kPad + 1, kRowHeight),
                        item->textAlignment(), item->text());
    };
    const auto inkOf = [&](const QTableWidgetItem* item) {
      const QBrush brush = item->foreground();
      return brush.style() == Qt::NoBrush ? m_theme.text : brush.color();
    };
    const QTableWidgetItem* header = rows->horizontalHeaderItem(column);
    draw(0, header, inkOf(header));
    for (int row = 0; row < rows->rowCount(); ++row) {
      draw(row + 1, rows->item(row, column), inkOf(rows->item(row, column)));
    }
    x += widths[column] + between;
  }
}

void DeltaView::paintFigure(QCPPainter* painter, const QSize& size) {
  painter->setAntialiasing(false);
  painter->fillRect(QRect(QPoint(0, 0), size), m_theme.surface);
  painter->setFont(Theme::font(Theme::kLabelPx));
  const double split = std::floor(size.width() * 0.68);
  paintRows(painter, m_metrics, QRectF(kPad, kPad, split - 2 * kPad, size.height()));
  paintRows(painter, m_settings,
            QRectF(split + kPad, kPad, size.width() - split - 2 * kPad, size.height()));
}

std::optional<Table> DeltaView::table() const {
  if (!m_comparison) return std::nullopt;
  return delta_table(*m_comparison);
}

QString DeltaView::summary() const {
  if (!m_comparison) return m_message;
  const auto names = [this](DeltaWord word) {
    QStringList out;
    for (const MetricDelta& metric : m_comparison->metrics) {
      if (metric.word() == word) out.push_back(metricName(metric));
    }
    return out.isEmpty() ? tr("nothing") : out.join(QStringLiteral(", "));
  };
  return tr("B is better in: %1. Worse in: %2.")
      .arg(names(DeltaWord::better), names(DeltaWord::worse));
}

}  // namespace qaq::views
