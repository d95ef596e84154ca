#pragma once

#include <QDialog>

#include "views/models/diagnosis_service.h"
#include "views/plots/theme.h"

class QCheckBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSpinBox;

namespace qaq::views {

class ModelField;

/// The form of a diagnosis: which model, how much of the open capture is quantized, what is
/// predicted behind it. It starts the work and closes; the dock "Failures" shows how far that is.
class DiagnosisDialog : public QDialog {
  Q_OBJECT

 public:
  explicit DiagnosisDialog(const QStringList& models, QWidget* parent = nullptr);

  /// Of another capture: its tokens bound the form.
  void setCapture(const CaptureInfo& info);
  DiagnosisForm form() const;
  void setForm(const DiagnosisForm& form);
  /// What will be predicted, or what is missing.
  QString stateText() const;
  QPushButton* startButton() const { return m_start; }
  void setTheme(const Theme& theme);

 signals:
  void wanted(const DiagnosisForm& form);

 private:
  void showState();

  ModelField* m_model;
  QSpinBox* m_prefix;
  QSpinBox* m_generate;
  QDoubleSpinBox* m_margin;
  QSpinBox* m_step;
  QCheckBox* m_heads;
  QLabel* m_state;
  QPushButton* m_start;
};

}  // namespace qaq::views
