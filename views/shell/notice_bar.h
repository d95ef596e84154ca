#pragma once

#include <QFrame>
#include <functional>

#include "views/plots/theme.h"

class QHBoxLayout;
class QLabel;

namespace qaq::views {

/// A line across the window that asks or tells without stopping anybody: a sentence, the commands
/// that answer it, and × . It says one thing at a time; the newest stands.
class NoticeBar : public QFrame {
  Q_OBJECT

 public:
  struct Answer {
    QString text;
    std::function<void()> act;  ///< the bar is closed first
  };

  explicit NoticeBar(QWidget* parent = nullptr);

  void show(const QString& sentence, const QList<Answer>& answers = {});
  void setTheme(const Theme& theme);
  QString text() const;

 private:
  QLabel* m_text;
  QHBoxLayout* m_row;
  QList<QWidget*> m_buttons;
};

}  // namespace qaq::views
