#pragma once

#include <QWidget>

#include "views/models/diagnoser.h"
#include "views/plots/theme.h"

class QLabel;
class QPushButton;
class QScrollArea;
class QVBoxLayout;

namespace qaq::views {

class CauseItem;

/// The dock "Why": what broke and where in some sentences, then every cause with its state in
/// words, its counterfactual, and KL before and after it with the token that came.
class WhyPanel : public QWidget {
  Q_OBJECT

 public:
  explicit WhyPanel(Diagnoser* diagnoser, QWidget* parent = nullptr);

  /// The setting that is shown: a diagnosis of another is old.
  void setParams(const ScopeParams& params);
  void setTheme(const Theme& theme);
  /// The sentences at its head; where there is no diagnosis, what stands there instead.
  QString summary() const;
  /// What is said of a diagnosis of another setting; empty: nothing.
  QString oldText() const;
  QList<CauseItem*> causes() const { return m_causes; }
  QPushButton* cellsButton() const { return m_cells; }
  QPushButton* exportButton() const { return m_export; }

 signals:
  void cellsWanted();
  void exportWanted();

 private:
  void refresh();
  void fill();

  Diagnoser* m_diagnoser;
  ScopeParams m_params;
  QLabel* m_old;
  QLabel* m_summary;
  QScrollArea* m_scroll;
  QVBoxLayout* m_list;
  QPushButton* m_cells;
  QPushButton* m_export;
  QList<CauseItem*> m_causes;
  SharedDiagnosis m_filled;  ///< whose causes are listed
  Theme m_theme = Theme::of(ThemeKind::light);
};

/// One cause of a diagnosis, painted: sign, title, state, counterfactual, bar of KL.
class CauseItem : public QWidget {
  Q_OBJECT

 public:
  CauseItem(SharedDiagnosis result, std::size_t index, QWidget* parent = nullptr);

  void setTheme(const Theme& theme);
  const DiagnosedCause& cause() const { return m_result->diagnosis.causes[m_index]; }
  /// What is written, top to bottom.
  QString stateText() const;
  QString counterfactualText() const;
  /// "KL 0.368 → 0.071, “ a” restored"; empty where nothing was replayed.
  QString effectText() const;
  QSize sizeHint() const override { return {300, heightForWidth(300)}; }
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QString signText() const;
  QColor ink() const;
  QString titleText() const;
  QRectF titleBox(double width) const;
  QRectF textBox(double width) const;

  SharedDiagnosis m_result;
  std::size_t m_index;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
