#include "views/plots/chart_plot.h"

#include <algorithm>

#include "views/plots/chart_panel.h"
#include "views/plots/chart_words.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr int kPanelWidth = 470, kPanelHeight = 330;    // px
constexpr int kLoneWidth = 680, kLoneHeight = 460;      // of a panel that stands alone
constexpr int kMapWidth = 760, kMapHeight = 660;        // of cells of heat
constexpr int kRowHeight = 40, kAroundRows = 110;       // of a map with few rows
constexpr int kNameWidth = 18, kMostNamesWidth = 1200;  // of names along x
constexpr double kNarrowHeight = 0.62;                  // of its width, of a panel in a column
constexpr int kCategoryHeight = 26, kAroundCategories = 80;
constexpr Px<int> kGap{14};
constexpr QSize kLargest(4096, 16384);  // whatever a file asks for

bool hasHeat(const ChartPanel& panel) {
  return std::ranges::any_of(
      panel.series, [](const ChartSeries& series) { return series.mark == ChartMark::heat; });
}

int heatRows(const ChartPanel& panel) {
  double last = 0;
  for (const ChartSeries& series : panel.series) {
    for (const ChartPoint& point : series.points) last = std::max(last, point.y);
  }
  return static_cast<int>(last) + 1;
}

// Its rows say how high it is.
bool hasRows(const ChartPanel& panel) {
  return hasHeat(panel) || panel.y.scale == ChartScale::category;
}

QSize sizeOf(const ChartPanel& panel) {
  if (hasHeat(panel)) {
    return {kMapWidth, std::min(kMapHeight, kAroundRows + heatRows(panel) * kRowHeight)};
  }
  const auto n = static_cast<int>(panel.y.names.size());
  const int names = static_cast<int>(panel.x.names.size()) * kNameWidth;
  return {std::max(kPanelWidth, std::min(names, kMostNamesWidth)),
          std::max(kPanelHeight, kAroundCategories + n * kCategoryHeight)};
}

}  // namespace

ChartPlot::ChartPlot(QWidget* parent) : QCustomPlot(parent) {
  plotLayout()->clear();
  setAutoAddPlottableToLegend(false);
  build();
}

void ChartPlot::setChart(const Chart& chart) {
  m_chart = chart;
  build();
}

void ChartPlot::setTheme(const Theme& theme) {
  m_theme = theme;
  build();
}

void ChartPlot::build() {
  clearPlottables();
  clearItems();
  qDeleteAll(m_margins);
  m_panels.clear();
  plotLayout()->clear();
  setBackground(QBrush(m_theme.surface));
  setAccessibleName(chartWords(m_chart.title));

  m_heading = new ChartText(this);
  m_heading->setParagraphs({{chartWords(m_chart.title), Theme::kTitlePx, true, m_theme.text},
                            {chartWords(m_chart.subtitle), Theme::kLabelPx, false, m_theme.muted}});
  m_legend = new ChartLegend(this);
  m_legend->setChart(m_chart, m_theme);
  auto* grid = new QCPLayoutGrid;
  grid->setRowSpacing(0);
  grid->setColumnSpacing(kGap);
  m_notes = new ChartText(this);
  QList<ChartText::Paragraph> notes;
  for (const std::string& note : m_chart.notes) {
    notes.push_back({chartWords(note), Theme::kTickPx, false, m_theme.muted});
  }
  if (const int n = undrawable(m_chart); n > 0) {
    notes.push_back({counted(n, tr("1 point at 0 has no place on a logarithmic axis."),
                             tr("%1 points at 0 have no place on a logarithmic axis.")),
                     Theme::kTickPx, false, m_theme.muted});
  }
  m_notes->setParagraphs(notes);
  int row = 0;
  for (QCPLayoutElement* element :
       std::initializer_list<QCPLayoutElement*>{m_heading, m_legend, grid, m_notes}) {
    plotLayout()->addElement(row++, 0, element);
  }
  plotLayout()->setRowSpacing(0);
  // Filled where it stands: QCustomPlot cannot adopt a grid with an empty place.
  m_margins.clear();
  for (int i = 0; i < 2 * m_chart.columns; ++i) m_margins.push_back(new QCPMarginGroup(this));
  for (int i = 0; i < static_cast<int>(m_chart.panels.size()); ++i) addPanel(grid, i);
  updateGeometry();
  replot(rpQueuedReplot);
}

void ChartPlot::addPanel(QCPLayoutGrid* grid, int index) {
  const ChartPanel& panel = m_chart.panels[static_cast<std::size_t>(index)];
  const int row = 2 * (index / m_chart.columns), column = index % m_chart.columns;
  auto* title = new ChartText(this);
  if (!panel.title.empty()) {
    title->setParagraphs({{chartWords(panel.title), Theme::kLabelPx, true, m_theme.text}});
  }
  grid->addElement(row, column, title);
  auto* axes = new QCPAxisRect(this, true);
  axes->setMinimumMargins(QMargins(12, 6, 12, 6) * px(1));
  m_panels.push_back(axes);
  if (!hasHeat(panel)) {
    grid->addElement(row + 1, column, axes);
    // Names of categories are long: they would narrow the panels below.
    const bool names = panel.y.scale == ChartScale::category;
    axes->setMarginGroup(QCP::msLeft | QCP::msRight, m_margins[2 * column + (names ? 1 : 0)]);
    fillPanel(axes, nullptr, panel, m_theme);
    return;
  }
  auto* pair = new QCPLayoutGrid;
  grid->addElement(row + 1, column, pair);
  auto* scale = new QCPColorScale(this);
  pair->addElement(0, 0, axes);
  pair->addElement(0, 1, scale);
  auto* margins = new QCPMarginGroup(this);
  for (QCPLayoutElement* element : std::initializer_list<QCPLayoutElement*>{axes, scale}) {
    element->setMarginGroup(QCP::msTop | QCP::msBottom, margins);
  }
  fillPanel(axes, scale, panel, m_theme);
}

void ChartPlot::fitTexts(int width) {
  m_heading->fit(width);
  m_legend->fit(width);
  m_notes->fit(width);
  auto* grid = static_cast<QCPLayoutGrid*>(plotLayout()->element(2, 0));
  const int columns = std::max(1, grid->columnCount());
  for (int row = 0; row < grid->rowCount(); row += 2) {
    for (int column = 0; column < grid->columnCount(); ++column) {
      if (!grid->hasElement(row, column)) continue;
      if (auto* title = qobject_cast<ChartText*>(grid->element(row, column))) {
        title->fit((width - (columns - 1) * kGap) / columns);
      }
    }
  }
}

void ChartPlot::updateLayout() {
  fitTexts(viewport().width());
  // Ticks are made before the axes get their size: the second pass sees it.
  QCustomPlot::updateLayout();
  QCustomPlot::updateLayout();
}

QSize ChartPlot::sizeHint() const {
  const auto n = static_cast<int>(m_chart.panels.size());
  const int columns = std::clamp(n, 1, m_chart.columns);
  int width = n == 1 ? kLoneWidth : kPanelWidth, height = 0;
  for (int first = 0; first < n; first += columns) {
    int row = n == 1 && !hasRows(m_chart.panels[0]) ? kLoneHeight : 0;
    for (int i = first; i < std::min(n, first + columns); ++i) {
      const QSize size = sizeOf(m_chart.panels[static_cast<std::size_t>(i)]);
      width = std::max(width, size.width());
      row = std::max(row, size.height());
    }
    height += row;
  }
  width = columns * width + (columns - 1) * kGap;
  // Fitting the texts to this width would change what the layout asks next, and never end.
  height += m_heading->heightFor(width) + m_legend->heightFor(width) + m_notes->heightFor(width);
  return {width, height};
}

int ChartPlot::heightForWidth(int width) const {
  const auto n = static_cast<int>(m_chart.panels.size());
  const int columns = std::clamp(n, 1, m_chart.columns), rows = (n + columns - 1) / columns;
  const int panel = qRound(kNarrowHeight * width / columns);
  return rows * panel + m_heading->heightFor(width) + m_legend->heightFor(width) +
         m_notes->heightFor(width);
}

FigurePage chartPage(ChartPlot& plot, FigureStyle style) {
  plot.setTheme(Theme::of(style.theme));
  style.fewColors = std::ranges::none_of(plot.chart().panels, hasHeat);
  return {[&plot](QCPPainter* painter, const QSize& size) {
            plot.toPainter(painter, size.width(), size.height());
          },
          chartWords(plot.chart().title), plot.sizeHint().boundedTo(kLargest), style};
}

}  // namespace qaq::views
