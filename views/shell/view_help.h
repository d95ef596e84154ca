#pragma once

#include <QCoreApplication>
#include <QStringList>

class QWidget;

namespace qaq::views {

/// What F1 tells about the part of the window that has the focus.
class ViewHelp {
  Q_DECLARE_TR_FUNCTIONS(ViewHelp)

 public:
  struct Text {
    QString title{};
    QStringList paragraphs{};
  };

  /// Of a view by its id ("bits") or a dock by its object name; without one: the window's.
  static Text of(const QString& part);
  /// The view or dock that `widget` is in; empty: neither.
  static QString partOf(const QWidget* widget);
};

}  // namespace qaq::views
