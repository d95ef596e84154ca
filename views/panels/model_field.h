#pragma once

#include <QStringList>
#include <QWidget>

class QComboBox;

namespace qaq::views {

/// Names a model: one of those that are there, a file or a folder.
class ModelField : public QWidget {
  Q_OBJECT

 public:
  explicit ModelField(const QStringList& models, QWidget* parent = nullptr);

  QString text() const;
  void setText(const QString& text);

 signals:
  void changed();

 private:
  QComboBox* m_name;
};

}  // namespace qaq::views
