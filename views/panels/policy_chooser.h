#pragma once

#include <QWidget>

#include "views/plots/theme.h"

class QComboBox;
class QLabel;

namespace qaq::views {

/// Which policy decides: what quantizes, and what evicts. Made from core's list of policies alone.
class PolicyChooser : public QWidget {
  Q_OBJECT

 public:
  explicit PolicyChooser(QWidget* parent = nullptr);

  /// Shows a policy by its name, without sending chosen().
  void setPolicy(const std::string& name);
  void setTheme(const Theme& theme);
  QComboBox* quantizes() const { return m_quantizes; }
  QComboBox* evicts() const { return m_evicts; }

 signals:
  void chosen(const QString& policy);

 private:
  void send();
  void describe();

  QComboBox* m_quantizes;
  QComboBox* m_evicts;
  QLabel* m_help;  ///< of what is chosen
};

}  // namespace qaq::views
