#pragma once

#include <QWidget>

#include "views/models/diagnoser.h"
#include "views/plots/theme.h"

class QCheckBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QStackedLayout;
class QTableWidget;

namespace qaq::views {

/// The dock "Failures": the predictions behind the quantized prefix whose top token changed, or all
/// of them, with what became of each. A click looks at a step. Until there is a diagnosis it offers
/// one; while one runs it shows how far it is.
class FailuresPanel : public QWidget {
  Q_OBJECT

 public:
  enum Column { kStep, kAfter, kExpected, kGot, kKl, kMargin, kRank, kShare, kVerdict, kColumns };

  explicit FailuresPanel(Diagnoser* diagnoser, QWidget* parent = nullptr);

  /// The setting that is shown: a diagnosis of another is old.
  void setParams(const ScopeParams& params);
  void setTheme(const Theme& theme);
  /// What stands above the table, or in its place.
  QString stateText() const;
  QTableWidget* table() const { return m_table; }
  QCheckBox* allSteps() const { return m_all; }
  QPushButton* diagnoseButton() const { return m_diagnose; }
  /// The steps of the rows.
  const QList<int>& steps() const { return m_steps; }

 signals:
  void diagnoseWanted();
  /// Explain the step that is looked at.
  void explainWanted(int step);
  void stepChosen(int step);

 private:
  QWidget* makeEmpty();
  QWidget* makeRows();
  void refresh();
  void fill();
  void color();
  void showStep(int step);
  void showProgress(const QString& stage, qint64 done, qint64 total);
  bool isOld() const;

  Diagnoser* m_diagnoser;
  ScopeParams m_params;
  QStackedLayout* m_pages;
  QWidget* m_emptyPage;
  QLabel* m_empty;
  QPushButton* m_diagnose;
  QWidget* m_rowsPage;
  QLabel* m_state;
  QPushButton* m_explain;
  QPushButton* m_again;
  QCheckBox* m_all;
  QTableWidget* m_table;
  QWidget* m_running;
  QLabel* m_stage;
  QProgressBar* m_progress;
  QList<int> m_steps;
  SharedDiagnosis m_filled;  ///< whose steps the rows are
  bool m_filling = false;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
