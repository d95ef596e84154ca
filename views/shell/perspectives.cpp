#include "views/shell/perspectives.h"

#include <QCoreApplication>

#include "views/shell/dock_layout.h"
#include "views/shell/lesson_guide.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"

namespace qaq::views {
namespace {

const QString kLesson = QStringLiteral("lesson");

bool isTeaching(const Perspective& perspective) { return perspective.docks.contains(kLesson); }

}  // namespace

QList<Perspective> perspectives() {
  const auto named = [](std::initializer_list<const char*> names) {
    QStringList all;
    for (const char* name : names) all.push_back(QLatin1String(name));
    return all;
  };
  return {{MainWindow::tr("Explore"), MainWindow::tr("What each token is given, and why"),
           QStringLiteral("bits"), named({"inspector", "parameters", "tokens"})},
          {MainWindow::tr("Compare"), MainWindow::tr("Two settings side by side, and what differs"),
           QStringLiteral("compare"), named({"parameters", "inspector", "delta"})},
          {MainWindow::tr("Diagnose"), MainWindow::tr("Which steps broke, where and why"),
           QStringLiteral("broke"), named({"parameters", "inspector", "why", "failures"})},
          {MainWindow::tr("Teach"), MainWindow::tr("The lessons beside what they talk about"),
           QString(), named({"inspector", "tokens", "lesson"})}};
}

QStringList perspectiveTitles() {
  QStringList titles;
  for (const Perspective& each : perspectives()) titles.push_back(each.title);
  return titles;
}

void showPerspective(MainWindow& window, const Perspective& perspective) {
  if (!perspective.page.isEmpty()) window.page()->bringBack(perspective.page);
  DockLayout& docks = *window.docks();
  // An open lesson is read beside anything.
  docks.setReading(isTeaching(perspective) || window.lessons()->lesson());
  for (const QString& name : perspective.docks) docks.bringUp(name);
}

int perspectiveInSight(const MainWindow& window) {
  const QList<Perspective> all = perspectives();
  const PlotPage* page = window.page()->current();
  int found = 0;
  for (int i = 0; i < all.size(); ++i) {
    if (isTeaching(all[i]) && window.docks()->isInFront(kLesson)) return i;
    const bool isShown = page && !all[i].page.isEmpty() && page->view(all[i].page);
    if (isShown && found == 0) found = i;
  }
  return found;
}

}  // namespace qaq::views
