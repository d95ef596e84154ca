#pragma once

#include <QList>
#include <QString>
#include <QStringList>

namespace qaq::views {

class MainWindow;

/// What the window is for at a time: the page in sight and the docks in front. It takes away
/// nothing.
struct Perspective {
  QString title;
  QString help;
  QString page;       ///< a view of the page to bring up; empty: the page in sight stays
  QStringList docks;  ///< to bring up in this order: of those in the same tabs the last is seen
};

/// Explore, Compare, Diagnose, Teach.
QList<Perspective> perspectives();
QStringList perspectiveTitles();

/// Brings up what `perspective` names; views and docks that the window does not have are passed
/// over.
void showPerspective(MainWindow& window, const Perspective& perspective);
/// Which of perspectives() what is in sight belongs to, however it came there.
int perspectiveInSight(const MainWindow& window);

}  // namespace qaq::views
