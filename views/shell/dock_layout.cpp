#include "views/shell/dock_layout.h"

#include <QDockWidget>
#include <QLabel>
#include <QLayout>
#include <algorithm>

#include "views/plots/theme.h"

namespace qaq::views {
namespace {

constexpr int kVersion = 3;  // of stored layouts: another set of docks or places is another version

// px of the window from which there is room.
constexpr int kLeftFrom = 1450, kStackedFrom = 920;
constexpr int kWideFrom = 2200;
constexpr Px<int> kReadingWidth{400};

QWidget* heading(const QString& title) {
  auto* label = new QLabel(title);
  label->setObjectName(QStringLiteral("dockTitle"));
  label->setFont(Theme::font(Theme::kTitlePx, true));
  return label;
}

}  // namespace

DockLayout::DockLayout(QMainWindow* window) : QObject(window), m_window(window) {
  window->setTabPosition(Qt::RightDockWidgetArea, QTabWidget::North);
  window->setTabPosition(Qt::LeftDockWidgetArea, QTabWidget::North);
  window->setTabPosition(Qt::BottomDockWidgetArea, QTabWidget::North);
  // The right column takes the whole height.
  window->setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  window->setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
  m_titles.setSingleShot(true);
  m_titles.setInterval(0);
  connect(&m_titles, &QTimer::timeout, this, &DockLayout::showTitles);
}

QDockWidget* DockLayout::add(Place place, const QString& name, const QString& title,
                             QWidget* widget) {
  auto* dock = new QDockWidget(title);
  dock->setObjectName(name);
  // Floating is off: docks that were pulled out do not go back on every platform.
  dock->setFeatures(QDockWidget::DockWidgetClosable | QDockWidget::DockWidgetMovable);
  dock->setWidget(widget);
  m_docks.push_back(dock);
  m_places[dock] = place;
  const bool left = place == Place::left, bottom = place == Place::bottom;
  m_window->addDockWidget(left     ? Qt::LeftDockWidgetArea
                          : bottom ? Qt::BottomDockWidgetArea
                                   : Qt::RightDockWidgetArea,
                          dock);
  dock->hide();
  connect(dock, &QDockWidget::dockLocationChanged, this, [this] {
    if (!m_arranging) m_room.reset();
    m_titles.start();
  });
  connect(dock, &QDockWidget::visibilityChanged, &m_titles, qOverload<>(&QTimer::start));
  connect(dock, &QDockWidget::visibilityChanged, this, [this, name](bool inFront) {
    if (inFront) {
      m_inFront.insert(name);
    } else {
      m_inFront.remove(name);
    }
    emit frontChanged();
  });
  return dock;
}

QDockWidget* DockLayout::dock(const QString& name) const {
  const auto found = std::ranges::find_if(
      m_docks, [&](const QDockWidget* dock) { return dock->objectName() == name; });
  return found == m_docks.end() ? nullptr : *found;
}

QList<QDockWidget*> DockLayout::docks() const { return m_docks; }

void DockLayout::bringUp(const QString& name) {
  QDockWidget* found = dock(name);
  if (!found) return;
  found->show();
  found->raise();
}

DockLayout::Room DockLayout::room() const {
  const int width = m_window->width(), height = m_window->height();
  const bool wide = width >= kWideFrom;
  Room room;
  room.left = width >= kLeftFrom;
  const bool tall = height >= kStackedFrom;
  room.stacked = tall && !m_reading;
  room.leftWidth = wide ? 280 : 226;
  room.rightWidth = wide || m_reading ? int{kReadingWidth} : tall ? 336 : 324;
  room.bottomHeight = tall ? 252 : 122;
  return room;
}

void DockLayout::setReading(bool reading) {
  m_reading = reading;
  resized();
}

void DockLayout::showOnly(const QString& name) {
  m_room.reset();
  QDockWidget* shown = dock(name);
  for (QDockWidget* dock : m_docks) dock->setVisible(dock == shown);
  if (shown) m_window->resizeDocks({shown}, {kReadingWidth}, Qt::Horizontal);
}

bool DockLayout::shareTabs(const QString& name, const QString& other) const {
  QDockWidget *one = dock(name), *two = dock(other);
  return one && two && m_window->tabifiedDockWidgets(one).contains(two);
}

void DockLayout::reset() {
  for (QDockWidget* dock : m_docks) dock->show();
  arrange(room());
}

void DockLayout::resized() {
  const Room now = room();
  if (m_room && *m_room != now) arrange(now);
}

void DockLayout::arrange(const Room& room) {
  m_arranging = true;
  const QSize before = m_window->size();
  const auto of = [this](Place place) {
    QList<QDockWidget*> group;
    for (QDockWidget* dock : m_docks) {
      if (m_places.at(dock) == place) group.push_back(dock);
    }
    return group;
  };
  const auto tabbed = [this](const QList<QDockWidget*>& group) {
    for (qsizetype i = 1; i < group.size(); ++i) m_window->tabifyDockWidget(group[0], group[i]);
    if (!group.isEmpty()) group[0]->raise();
  };
  // From the beginning, so that the result does not depend on what was before.
  for (QDockWidget* dock : m_docks) {
    const Place place = m_places.at(dock);
    m_window->addDockWidget(place == Place::left     ? Qt::LeftDockWidgetArea
                            : place == Place::bottom ? Qt::BottomDockWidgetArea
                                                     : Qt::RightDockWidgetArea,
                            dock, Qt::Vertical);
  }
  const QList<QDockWidget*> left = of(Place::left), main = of(Place::rightMain),
                            right = of(Place::right), bottom = of(Place::bottom);
  if (room.stacked) {
    tabbed(main);
    tabbed(right);
  } else {
    tabbed(main + right);
  }
  tabbed(bottom);
  for (QDockWidget* dock : left) dock->setVisible(room.left);
  const auto resize = [this](const QList<QDockWidget*>& docks, int size, Qt::Orientation along) {
    if (!docks.isEmpty()) m_window->resizeDocks({docks.first()}, {size}, along);
  };
  resize(left, room.leftWidth, Qt::Horizontal);
  resize(main, room.rightWidth, Qt::Horizontal);
  resize(bottom, room.bottomHeight, Qt::Vertical);
  if (left.size() > 1) {
    m_window->resizeDocks({left[0], left[1]}, {3, 2}, Qt::Vertical);
  }
  if (room.stacked && !main.isEmpty() && !right.isEmpty()) {
    m_window->resizeDocks({main.first(), right.first()}, {11, 8}, Qt::Vertical);
  }
  m_room = room;
  m_arranging = false;
  showTitles();
  // Before they lay in tabs they stood one above the other, which made the window higher.
  m_window->layout()->activate();
  if (m_window->size() != before) m_window->resize(before);
}

void DockLayout::showTitles() {
  for (QDockWidget* dock : m_docks) {
    const auto others = m_window->tabifiedDockWidgets(dock);
    const bool inTabs =
        std::ranges::any_of(others, [](const QDockWidget* other) { return !other->isHidden(); });
    // Tabs carry the names already.
    const bool hasHeading = qobject_cast<QLabel*>(dock->titleBarWidget()) != nullptr;
    if (dock->titleBarWidget() && hasHeading != inTabs) continue;
    const QWidget* before = dock->titleBarWidget();
    dock->setTitleBarWidget(inTabs ? new QWidget : heading(dock->windowTitle()));
    delete before;
  }
}

QByteArray DockLayout::save() const { return m_window->saveState(kVersion); }

bool DockLayout::restore(const QByteArray& state) {
  m_arranging = true;
  const bool restored = m_window->restoreState(state, kVersion);
  m_arranging = false;
  if (!restored) {
    reset();
    return false;
  }
  m_room.reset();
  m_titles.start();
  return true;
}

}  // namespace qaq::views
