#pragma once

#include <QByteArray>
#include <QMainWindow>
#include <QObject>
#include <QSet>
#include <QTimer>
#include <map>
#include <optional>

class QDockWidget;

namespace qaq::views {

/// The docks of the window and where they stand. While nobody moves them they follow its size: side
/// by side in tabs where height is dear, the left column closed where width is.
class DockLayout : public QObject {
  Q_OBJECT

 public:
  /// Right and bottom docks of one group lie in tabs; the main one stands above the others.
  enum class Place { left, rightMain, right, bottom };

  explicit DockLayout(QMainWindow* window);

  /// `name` is kept in stored layouts. Hidden until showAll().
  QDockWidget* add(Place place, const QString& name, const QString& title, QWidget* widget);
  QDockWidget* dock(const QString& name) const;
  QList<QDockWidget*> docks() const;
  /// Shows a dock and brings it to the front of its tabs.
  void bringUp(const QString& name);
  /// It is shown, and no other of its tabs covers it.
  bool isInFront(const QString& name) const { return m_inFront.contains(name); }

  /// The right column as tabs over the whole height, wide enough for text, whatever room there is:
  /// what stands in front of them is read. Hands that arranged docks are left alone.
  void setReading(bool reading);
  /// Hides all docks but this one, a right one, which gets the width that is read at; empty: all.
  /// The window's size changes nothing of that until restore().
  void showOnly(const QString& name);
  /// Whether two docks lie in the same tabs.
  bool shareTabs(const QString& name, const QString& other) const;

  /// The built-in layout for the window's size: shows what there is room for.
  void reset();
  /// The window has a new size.
  void resized();
  /// What save() gave. False, and the built-in layout, where it is of another version or broken.
  bool restore(const QByteArray& state);
  QByteArray save() const;

 signals:
  /// Another dock stands in front, or none.
  void frontChanged();

 private:
  struct Room {
    bool left = false;     ///< there is room for the left column
    bool stacked = false;  ///< for two docks, one above the other
    int rightWidth = 0, leftWidth = 0, bottomHeight = 0;

    bool operator==(const Room&) const = default;
  };
  Room room() const;
  void arrange(const Room& room);
  void showTitles();

  QMainWindow* m_window;
  QList<QDockWidget*> m_docks;
  std::map<const QDockWidget*, Place> m_places;
  QSet<QString> m_inFront;
  std::optional<Room> m_room;  ///< what was arranged for; none: hands arranged it, or nothing yet
  bool m_arranging = false;
  bool m_reading = false;
  QTimer m_titles;
};

}  // namespace qaq::views
