#pragma once

#include <QButtonGroup>
#include <QList>
#include <QWidget>

#include "views/panels/lesson_text.h"
#include "views/plots/theme.h"

class QLabel;
class QPushButton;
class QScrollArea;
class QStackedWidget;
class QVBoxLayout;

namespace qaq::views {

class ChartPlot;

/// How far a lesson's steps are done, as a row of bars.
class StepBar : public QWidget {
  Q_OBJECT

 public:
  explicit StepBar(QWidget* parent = nullptr);
  void setSteps(int count, int current, const QList<int>& done);
  void setTheme(const Theme& theme);
  QSize sizeHint() const override { return {wholePx(240), wholePx(12)}; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  int m_count = 0, m_current = 0;
  QList<int> m_done;
  Theme m_theme = Theme::of(ThemeKind::light);
};

/// What the lesson dock shows: one step of a lesson, or the list of lessons. It knows neither
/// commands nor captures; LessonGuide (views/shell) leads.
class LessonPanel : public QWidget {
  Q_OBJECT

 public:
  struct Entry {
    QString title;
    int done = 0, steps = 0;
  };
  struct Page {
    QString lesson{}, step{};  ///< titles
    int index = 0, count = 0;
    QList<int> done{};     ///< steps
    bool canShow = false;  ///< there is something that "Show me" does
    bool isDone = false;   ///< what the step asks for is so
    bool canHandOut = false;
    QString capture{};  ///< of the lesson, where another or none is open; its numbers are then of
                        ///< what is open
  };

  explicit LessonPanel(QWidget* parent = nullptr);

  void showList(const QList<Entry>& lessons);
  /// The text stays until there is a new one.
  void showPage(const Page& page);
  void setText(const LessonText& text);
  void setError(const QString& line);
  /// The same step, another state of the window.
  void setDone(bool isDone, const QList<int>& steps);
  void setTheme(const Theme& theme);

  bool showsList() const;
  QPushButton* showMe() const { return m_showMe; }
  /// What the panel says, for tests and those who cannot see it.
  QString bodyText() const;
  QString answerText() const;
  /// The choices of the question, none without one.
  QList<QAbstractButton*> choices() const { return m_choices.buttons(); }

 signals:
  void lessonChosen(int index);
  void listWanted();
  void showMeWanted();
  void nextWanted();
  void backWanted();
  void handOutWanted();
  void captureWanted();

 private:
  QWidget* makeList();
  QWidget* makeStep();
  void showAnswer(int choice);
  void styleTexts();

  Theme m_theme = Theme::of(ThemeKind::light);
  QStackedWidget* m_pages;
  QVBoxLayout* m_listColumn = nullptr;
  QList<QWidget*> m_listRows;
  QScrollArea* m_scroll = nullptr;
  QLabel *m_title = nullptr, *m_where = nullptr, *m_stepTitle = nullptr, *m_body = nullptr;
  ChartPlot* m_chart = nullptr;
  QLabel* m_hint = nullptr;
  QWidget* m_other = nullptr;  ///< another capture is open
  QLabel* m_otherText = nullptr;
  QPushButton* m_openCapture = nullptr;
  StepBar* m_bar = nullptr;
  QPushButton *m_showMe = nullptr, *m_back = nullptr, *m_next = nullptr, *m_handOut = nullptr;
  QWidget* m_questionBox = nullptr;
  QVBoxLayout* m_choiceColumn = nullptr;
  QLabel *m_question = nullptr, *m_answer = nullptr, *m_comparison = nullptr;
  QButtonGroup m_choices;
  Page m_page;
  LessonText m_text;
};

}  // namespace qaq::views
