#pragma once

#include <QList>
#include <QWidget>

class QButtonGroup;

namespace qaq::views {

/// A few words of which one holds, above a view: "nominal | packed".
class ChoiceSwitch : public QWidget {
  Q_OBJECT

 public:
  /// `name` says what is chosen, for those who cannot see it.
  ChoiceSwitch(const QString& name, const QStringList& words, QWidget* parent = nullptr);

  int chosen() const;
  /// What each word means.
  void setToolTips(const QStringList& texts);
  /// Without sending changed().
  void setChosen(int index);

 signals:
  void changed(int index);

 private:
  QButtonGroup* m_group;
};

/// What is chosen of a view, at the right of a row above it.
QWidget* choiceRow(const QList<QWidget*>& choices);

}  // namespace qaq::views
