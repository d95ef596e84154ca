#include "views/shell/layout_commands.h"

#include "core/base/error.h"
#include "views/commands/command_registry.h"
#include "views/commands/selection_commands.h"
#include "views/plots/view_list.h"
#include "views/shell/dock_layout.h"
#include "views/shell/layout_store.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/perspectives.h"

namespace qaq::views {
namespace {

/// "bits,outliers attention" as rows of views: a row a word.
QList<QStringList> rowsFrom(const QString& text) {
  QList<QStringList> rows;
  for (const QString& row : text.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
    const QStringList ids = row.split(QLatin1Char(','), Qt::SkipEmptyParts);
    for (const QString& id : ids) {
      if (viewIds().contains(id)) continue;
      refuse_usage({.place = "page-add",
                    .what = "there is no view '" + id.toStdString() + "'",
                    .cure = "choose from " + viewIds().join(QLatin1String(", ")).toStdString()});
    }
    rows.push_back(ids);
  }
  return rows;
}

void addPages(CommandRegistry& registry, MainWindow& window) {
  registry.add({.id = "view.page.add",
                .word = "page-add",
                .text = MainWindow::tr("New page…"),
                .help = MainWindow::tr("Adds a page of views: commas between those side by side, "
                                       "spaces between rows, as in \"bits outliers,attention\""),
                .keywords = MainWindow::tr("tab add views"),
                .menu = "view",
                .section = "pages",
                .arguments = {{.name = "views", .help = MainWindow::tr("Rows of views")}},
                .blocked = [&window] { return needsCapture(window.workspace()); },
                .run =
                    [&window](const CommandArguments& arguments) {
                      const QList<QStringList> rows = rowsFrom(arguments["views"].toString());
                      if (rows.isEmpty()) return;
                      PageStack& pages = *window.page();
                      pages.addPage({rows.first().first(), rows});
                      pages.setCurrentIndex(pages.count() - 1);
                    }});
  registry.add({.id = "view.page.close",
                .word = "page-close",
                .text = MainWindow::tr("Close page"),
                .help = MainWindow::tr("Takes the page in sight off the window"),
                .keywords = MainWindow::tr("tab remove"),
                .menu = "view",
                .section = "pages",
                .blocked =
                    [&window] {
                      const QString why = needsCapture(window.workspace());
                      if (!why.isEmpty() || window.page()->count() > 1) return why;
                      return MainWindow::tr("it is the only page");
                    },
                .run =
                    [&window](const CommandArguments&) {
                      window.page()->closePage(window.page()->currentIndex());
                    }});
}

void addPerspectives(CommandRegistry& registry, MainWindow& window) {
  registry.add(
      {.id = "view.perspective",
       .word = "perspective",
       .text = MainWindow::tr("Perspective…"),
       .help = MainWindow::tr("Brings up the page and the docks for exploring, comparing, "
                              "diagnosing or teaching; none is taken away"),
       .keywords = MainWindow::tr("layout arrange explore compare diagnose teach"),
       .menu = "view/layout",
       .section = "perspectives",
       .arguments = {{.name = "name",
                      .help = MainWindow::tr("What the window is for"),
                      .kind = CommandArgument::Kind::choice,
                      .choices = [] { return perspectiveTitles(); }}},
       .blocked = [&window] { return needsCapture(window.workspace()); },
       .isListed = true,
       .choiceNow = [&window] { return perspectiveTitles().at(perspectiveInSight(window)); },
       .run =
           [&window](const CommandArguments& arguments) {
             const qsizetype index = perspectiveTitles().indexOf(arguments["name"].toString());
             showPerspective(window, perspectives().at(index));
           }});
}

void addLayouts(CommandRegistry& registry, MainWindow& window) {
  const auto names = [&window] { return window.layouts().names(); };
  registry.add({.id = "view.layout.reset",
                .word = "layout-reset",
                .text = MainWindow::tr("Reset layout"),
                .help = MainWindow::tr("Pages and docks as the window came"),
                .keywords = MainWindow::tr("explore perspective arrange"),
                .menu = "view/layout",
                .section = "layout",
                .blocked = [&window] { return needsCapture(window.workspace()); },
                .run =
                    [&window](const CommandArguments&) {
                      window.page()->setPages(PageStack::builtIn());
                      window.docks()->reset();
                    }});
  registry.add({.id = "view.layout.save",
                .word = "layout-save",
                .text = MainWindow::tr("Save layout…"),
                .help = MainWindow::tr("Keeps pages and docks as they are under a name"),
                .keywords = MainWindow::tr("perspective arrange"),
                .menu = "view/layout",
                .section = "layout",
                .arguments = {{.name = "name", .help = MainWindow::tr("Name of the layout")}},
                .blocked = [&window] { return needsCapture(window.workspace()); },
                .run =
                    [&window](const CommandArguments& arguments) {
                      window.layouts().put(arguments["name"].toString(),
                                           {window.docks()->save(), window.page()->layouts()});
                    }});
  registry.add({.id = "view.layout",
                .word = "layout",
                .text = MainWindow::tr("Layout…"),
                .help = MainWindow::tr("Takes up pages and docks that were kept under a name"),
                .keywords = MainWindow::tr("perspective restore arrange"),
                .menu = "view/layout",
                .section = "layout",
                .arguments = {{.name = "name",
                               .help = MainWindow::tr("A layout that was saved"),
                               .kind = CommandArgument::Kind::choice,
                               .choices = names}},
                .blocked =
                    [&window, names] {
                      const QString why = needsCapture(window.workspace());
                      if (!why.isEmpty() || !names().isEmpty()) return why;
                      return MainWindow::tr("no layout was saved yet");
                    },
                .isListed = true,
                .run =
                    [&window](const CommandArguments& arguments) {
                      const NamedLayout layout =
                          window.layouts().layout(arguments["name"].toString());
                      if (!layout.pages.isEmpty()) window.page()->setPages(layout.pages);
                      window.docks()->restore(layout.docks);
                    }});
  registry.add(
      {.id = "view.present",
       .word = "present",
       .text = MainWindow::tr("Presentation"),
       .help = MainWindow::tr("The page, and a lesson that is open, alone on the whole screen"),
       .keywords = MainWindow::tr("full screen projector teach"),
       .shortcuts = {QKeySequence(QStringLiteral("F11"))},
       .menu = "view",
       .section = "layout",
       .blocked = [&window] { return needsCapture(window.workspace()); },
       .checked = [&window] { return window.isPresenting(); },
       .run =
           [&window](const CommandArguments&) { window.setPresenting(!window.isPresenting()); }});
}

}  // namespace

void addLayoutCommands(CommandRegistry& registry, MainWindow& window) {
  addPages(registry, window);
  addPerspectives(registry, window);
  addLayouts(registry, window);
}

}  // namespace qaq::views
