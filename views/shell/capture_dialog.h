#pragma once

#include <QDialog>
#include <QTimer>

#include "views/models/capture_job.h"
#include "views/models/derived.h"
#include "views/plots/theme.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;
class QRadioButton;
class QSpinBox;

namespace qaq::views {

class ModelField;

/// The form of a capture: model, prompt, what is kept and where. It says how large the file will
/// be, runs the model in the background and shows how far it is. The window goes on beside it;
/// closing the form does not stop what runs.
class CaptureDialog : public QDialog {
  Q_OBJECT

 public:
  explicit CaptureDialog(const CaptureMaker& maker, QWidget* parent = nullptr);

  CaptureJob& job() { return m_job; }
  CaptureForm form() const;
  void setForm(const CaptureForm& form);
  /// Does what *Capture* does.
  void start();
  void setTheme(const Theme& theme);
  /// What the form says of itself: the size beforehand, how far it is, or what was refused.
  QString stateText() const;
  /// The forecast is there; nothing runs.
  bool isSettled() const { return m_forecast.isReady() && !m_job.isRunning(); }

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  QWidget* makePrompt();
  void forecast();
  void showForecast(const CaptureForecast& forecast);
  void showProgress(const QString& stage, qint64 done, qint64 total);
  void showRunning(bool running);
  void say(const QString& line, bool isWarning);
  QString whatIsMissing() const;

  CaptureJob m_job;
  Theme m_theme = Theme::of(ThemeKind::light);
  QWidget* m_fields;
  ModelField* m_model;
  QRadioButton* m_isText;
  QRadioButton* m_isFile;
  QPlainTextEdit* m_prompt;
  QLineEdit* m_promptFile;
  QSpinBox* m_generate;
  QLineEdit* m_layers;
  QComboBox* m_attention;
  QSpinBox* m_window;  ///< rows, of attention "window"
  QComboBox* m_dtype;
  QLineEdit* m_output;
  QLabel* m_state;
  QProgressBar* m_progress;
  QPushButton* m_start;
  QPushButton* m_cancel;
  QTimer m_typing;  ///< before a forecast is made of what is typed
  Derived<CaptureForecast> m_forecast;
};

}  // namespace qaq::views
