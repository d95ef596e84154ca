#include "views/shell/exporter.h"

#include <cmath>
#include <optional>
#include <qcustomplot.h>

#include "core/analysis/table_filter.h"
#include "core/base/error.h"
#include "views/plots/figure_page.h"
#include "views/plots/map_pane.h"
#include "views/shell/page_stack.h"
#include "views/shell/rescale.h"

namespace qaq::views {
namespace {

const char* columnOf(AxisKind kind) {
  switch (kind) {
    case AxisKind::token:
      return "token";
    case AxisKind::step:
      return "step";
    case AxisKind::layer:
      return "layer";
    case AxisKind::channel:
      return "channel";
    case AxisKind::none:
      break;
  }
  return nullptr;
}

// Cells of which more than nothing is in sight, `perIndex` of them an index.
ColumnRange inSight(const char* column, const QCPRange& range, int perIndex) {
  const auto index = [perIndex](double cell) {
    return static_cast<std::int64_t>(std::floor((cell + 0.5) / perIndex));
  };
  return {column, index(range.lower), index(std::nextafter(range.upper, range.lower))};
}

}  // namespace

Table rowsInSight(const PlotView& view, Table table) {
  const QList<MapPane*> panes = view.panes();
  if (panes.isEmpty()) return table;
  const MapPane* pane = panes.first();
  std::vector<ColumnRange> ranges;
  if (const char* column = columnOf(pane->xKind())) {
    ranges.push_back(inSight(column, pane->xAxis->range(), 1));
  }
  if (const char* column = columnOf(pane->yKind())) {
    ranges.push_back(inSight(column, pane->yAxis->range(), pane->rowsPerIndex()));
  }
  return rows_within(std::move(table), std::move(ranges));
}

Exporter::Exporter(PageStack* pages, TableWriter writeTable, QObject* parent)
    : QObject(parent), m_pages(pages), m_writeTable(std::move(writeTable)) {}

void Exporter::run(const ExportRequest& request, const std::string& provenance,
                   const QList<PlotPage*>& docked, ThemeKind screen) {
  PlotView* view = m_pages->current() ? m_pages->current()->view(request.view) : nullptr;
  if (!view) view = m_pages->view(request.view);
  for (PlotPage* page : docked) {
    if (!view) view = page->view(request.view);
  }
  try {
    if (!view && request.what != ExportRequest::What::page) {
      refuse_usage({.place = "export",
                    .what = "no page shows '" + request.view.toStdString() + "'",
                    .cure = "open it on a page first"});
    }
    if (request.what == ExportRequest::What::table) {
      writeRows(request, provenance, view);
    } else {
      writeFigure(request, provenance, view, screen);
    }
  } catch (const std::exception& e) {
    emit failed(QString::fromUtf8(e.what()));
  }
}

void Exporter::writeFigure(const ExportRequest& request, const std::string& provenance,
                           PlotView* view, ThemeKind screen) {
  PlotPage* page = m_pages->current();
  const bool whole = request.what == ExportRequest::What::page;
  const double onScreen = px(1);
  // A figure is of the size that was asked for, whatever a room needs.
  const auto setTheme = [&](ThemeKind kind, double scale) {
    rescale(whole ? static_cast<QWidget*>(page) : view, scale);
    if (whole) {
      page->setTheme(Theme::of(kind));
    } else {
      view->setTheme(Theme::of(kind));
    }
  };
  const QString title = whole ? page->pageLayout().title : view->title();
  const FigurePage figure(
      [&](QCPPainter* painter, const QSize& size) {
        if (whole) {
          page->paintFigure(painter, size);
        } else {
          view->paintFigure(painter, size);
        }
      },
      title, whole ? page->size() : view->size(),
      {.theme = request.theme,
       .size = (request.millimetres * kPxPerMm).toSize(),
       .scale = static_cast<double>(request.scale),
       .provenance = QString::fromStdString(provenance)});
  // Nothing reaches the screen in between.
  setTheme(request.theme, 1);
  try {
    figure.save(request.path);
  } catch (...) {
    setTheme(screen, onScreen);
    throw;
  }
  setTheme(screen, onScreen);
  emit finished(request.path);
}

void Exporter::writeRows(const ExportRequest& request, const std::string& provenance,
                         PlotView* view) {
  std::optional<Table> table = view->table();
  if (!table) {
    refuse_usage({.place = "export",
                  .what = "'" + request.view.toStdString() + "' has no rows to write",
                  .cure = "choose another view, or wait until it is drawn"});
  }
  if (isBusy()) {
    throw Error(ErrorKind::work, {.place = "export",
                                  .what = "another one is still being written",
                                  .cure = "wait until it is finished"});
  }
  if (request.visibleRange) table = rowsInSight(*view, std::move(*table));
  ++m_running;
  m_job.submit([this, path = request.path, table = std::move(*table), provenance,
                write = m_writeTable](const std::stop_token& stop) {
    QString error;
    try {
      write(path.toStdString(), table, provenance, Work(nullptr, stop));
    } catch (const std::exception& e) {
      error = QString::fromUtf8(e.what());
    }
    QMetaObject::invokeMethod(this, [this, path, error] {
      --m_running;
      if (error.isEmpty()) {
        emit finished(path);
      } else {
        emit failed(error);
      }
    });
  });
}

}  // namespace qaq::views
