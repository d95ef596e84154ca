#pragma once

#include <QObject>
#include <functional>

#include "core/analysis/table.h"
#include "core/base/progress.h"
#include "views/models/latest_job.h"
#include "views/panels/export_dialog.h"

namespace qaq::views {

class PageStack;
class PlotPage;
class PlotView;

/// Writes rows into a file by its ending, with a line that says what they are; given by the
/// program, because file formats are not known here. Throws Error.
using TableWriter = std::function<void(const std::string& path, const Table& table,
                                       const std::string& provenance, const Work& work)>;

/// Writes figures and tables of what is on the screen. Figures are drawn at their own size and in
/// their own theme by the same code as the screen; rows are written on a worker thread.
class Exporter : public QObject {
  Q_OBJECT

 public:
  Exporter(PageStack* pages, TableWriter writeTable, QObject* parent = nullptr);

  void setTableWriter(TableWriter writer) { m_writeTable = std::move(writer); }
  /// `docked` are pages beside the tabs. Reports by finished() or failed().
  void run(const ExportRequest& request, const std::string& provenance,
           const QList<PlotPage*>& docked, ThemeKind screen);
  bool isBusy() const { return m_running > 0; }

 signals:
  void finished(const QString& path);
  void failed(const QString& line);

 private:
  void writeFigure(const ExportRequest& request, const std::string& provenance, PlotView* view,
                   ThemeKind screen);
  void writeRows(const ExportRequest& request, const std::string& provenance, PlotView* view);

  PageStack* m_pages;
  TableWriter m_writeTable;
  int m_running = 0;
  LatestJob m_job;
};

/// The rows of a view's table that its maps show now.
Table rowsInSight(const PlotView& view, Table table);

}  // namespace qaq::views
