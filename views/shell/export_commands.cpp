#include "views/shell/export_commands.h"

#include <QApplication>
#include <QClipboard>

#include "core/base/error.h"
#include "views/commands/command_registry.h"
#include "views/commands/selection_commands.h"
#include "views/panels/export_dialog.h"
#include "views/plots/figure_page.h"
#include "views/plots/view_list.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"

namespace qaq::views {
namespace {

/// As the screen shows it.
QSizeF millimetresOf(const QWidget& widget) { return QSizeF(widget.size()) / kPxPerMm; }

QList<ExportDialog::View> offeredViews(const MainWindow& window) {
  QList<ExportDialog::View> views;
  for (const PlotView* view : window.viewsInSight()) {
    views.push_back({view->id(), view->title(), view->table().has_value()});
  }
  return views;
}

void openDialog(MainWindow& window) {
  auto* dialog = new ExportDialog(&window);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  const PlotView* focused = window.focusedView();
  dialog->offer(offeredViews(window), focused ? focused->id() : QString(),
                window.page()->current()->size());
  QObject::connect(dialog, &ExportDialog::exportRequested, &window, &MainWindow::exportNow);
  dialog->show();
}

void exportFigure(MainWindow& window, const QString& what, const QString& path) {
  const bool page = what == QLatin1String("page");
  const QWidget* shown = window.page()->current();
  if (!page) shown = window.shownView(what);
  if (!shown) {
    refuse_usage({.place = "export",
                  .what = "'" + what.toStdString() + "' is not on the screen",
                  .cure = "go to a page that shows it"});
  }
  window.exportNow({.what = page ? ExportRequest::What::page : ExportRequest::What::view,
                    .view = what,
                    .path = path,
                    .millimetres = millimetresOf(*shown),
                    .scale = 2});
}

void copyPicture(MainWindow& window) {
  PlotView* view = window.focusedView();
  const QSize size = view ? view->size() : window.page()->current()->size();
  const FigurePage figure(
      [&](QCPPainter* painter, const QSize& at) {
        if (view) {
          view->paintFigure(painter, at);
        } else {
          window.page()->current()->paintFigure(painter, at);
        }
      },
      view ? view->title() : window.windowTitle(), size,
      {.theme = window.theme().kind, .scale = 2});
  QApplication::clipboard()->setImage(figure.image());
}

}  // namespace

void addExportCommands(CommandRegistry& registry, MainWindow& window) {
  const auto blocked = [&window] { return needsCapture(window.workspace()); };
  const auto views = [&window] {
    QStringList names;
    for (const PlotView* view : window.viewsInSight()) names.push_back(view->id());
    return names;
  };
  const auto viewsAndPage = [views] { return views() << QStringLiteral("page"); };
  registry.add({.id = "file.export",
                .word = "export-dialog",
                .text = MainWindow::tr("Export…"),
                .help = MainWindow::tr("Writes a view or the page as PDF, PNG or SVG, or the rows "
                                       "behind a view as CSV or HDF5"),
                .keywords = MainWindow::tr("save figure picture table csv pdf png svg"),
                .shortcuts = {QKeySequence(QStringLiteral("Ctrl+E"))},
                .menu = "file",
                .section = "export",
                .blocked = blocked,
                .run = [&window](const CommandArguments&) { openDialog(window); }});
  registry.add({.id = "file.export.figure",
                .word = "export",
                .text = MainWindow::tr("Export figure to file…"),
                .help = MainWindow::tr("Writes a view on the screen, or the page, as the name's "
                                       "ending says: .pdf, .png or .svg"),
                .keywords = MainWindow::tr("save picture"),
                .menu = "file",
                .section = "export",
                .arguments = {{.name = "view",
                               .help = MainWindow::tr("A view on the screen, or page"),
                               .kind = CommandArgument::Kind::choice,
                               .choices = viewsAndPage},
                              {.name = "path", .help = MainWindow::tr("The file to write")}},
                .blocked = blocked,
                .run = [&window](const CommandArguments& arguments) {
                  exportFigure(window, arguments["view"].toString(), arguments["path"].toString());
                }});
  registry.add(
      {.id = "file.export.rows",
       .word = "export-rows",
       .text = MainWindow::tr("Export rows to file…"),
       .help = MainWindow::tr("Writes the numbers behind a view on the screen as .csv or "
                              ".h5; with range=visible only those in sight"),
       .keywords = MainWindow::tr("save table csv hdf5 data numbers"),
       .menu = "file",
       .section = "export",
       .arguments = {{.name = "view",
                      .help = MainWindow::tr("A view on the screen"),
                      .kind = CommandArgument::Kind::choice,
                      .choices = views},
                     {.name = "path", .help = MainWindow::tr("The file to write")},
                     {.name = "range",
                      .help = MainWindow::tr("all or visible"),
                      .kind = CommandArgument::Kind::choice,
                      .choices =
                          [] {
                            return QStringList{QStringLiteral("all"), QStringLiteral("visible")};
                          },
                      .optional = true}},
       .blocked = blocked,
       .run = [&window](const CommandArguments& arguments) {
         window.exportNow(
             {.what = ExportRequest::What::table,
              .view = arguments["view"].toString(),
              .path = arguments["path"].toString(),
              .visibleRange = arguments["range"].toString() == QLatin1String("visible")});
       }});
  registry.add({.id = "edit.copy.picture",
                .word = "copy-picture",
                .text = MainWindow::tr("Copy figure"),
                .help = MainWindow::tr("Copies the view that has the focus, else the page, as a "
                                       "picture"),
                .keywords = MainWindow::tr("clipboard image"),
                .shortcuts = {QKeySequence(QStringLiteral("Ctrl+Shift+C"))},
                .menu = "edit",
                .section = "copy",
                .blocked = blocked,
                .run = [&window](const CommandArguments&) { copyPicture(window); }});
}

}  // namespace qaq::views
