#pragma once

#include <QList>
#include <QObject>
#include <QPointer>
#include <QStringList>
#include <QTimer>
#include <optional>

#include "core/analysis/lesson.h"
#include "views/models/derived.h"
#include "views/models/lesson_services.h"
#include "views/panels/lesson_text.h"

namespace qaq::views {

class LessonPanel;
class MainWindow;
class TargetMark;
struct Theme;

/// Leads through lessons: keeps which step is looked at and what is done, has the numbers of its
/// text worked out, does what "Show me" promises as one step that can be undone, and frames what
/// the step is about. It stops nobody: the window stays as it is usable without.
class LessonGuide : public QObject {
  Q_OBJECT

 public:
  LessonGuide(MainWindow* window, LessonPanel* panel, const LessonServices& services);
  ~LessonGuide() override;

  const std::vector<Lesson>& lessons() const { return m_services.lessons; }
  QStringList titles() const;
  /// Null: the list of lessons is shown.
  const Lesson* lesson() const { return m_lesson; }
  std::size_t step() const { return m_step; }
  const LessonStep& currentStep() const { return m_lesson->steps[m_step]; }

  /// Goes on where the lesson was left. Opens its capture where none is open.
  void open(int index);
  /// To the list of lessons.
  void close();
  void goTo(std::size_t step);
  void next();
  void back();
  /// Throws what its commands throw; then nothing has changed.
  void showMe();
  void openCapture();
  void handOut(const QString& path);

  /// The window as conditions see it.
  LessonState state() const;
  /// What the step asks for is so.
  bool isDone() const;
  /// The lesson's capture is the one that is open.
  bool hasCapture() const;
  /// The widget that a name of a step's highlight means; null: it is not there.
  QWidget* target(const std::string& name) const;
  bool isSettled() const { return m_text.isReady(); }
  LessonData data() const;

  void connectWindow();
  void setTheme(const Theme& theme);

 signals:
  /// Another lesson or step, or none.
  void changed();

 private:
  class Look;
  void showStep();
  void showList();
  void requestText();
  void check();
  void keep();
  void mark();
  QList<int> doneSteps() const;
  QString capturePath() const;
  bool eventFilter(QObject* watched, QEvent* event) override;

  MainWindow* m_window;
  LessonPanel* m_panel;
  LessonServices m_services;
  const Lesson* m_lesson = nullptr;
  std::size_t m_step = 0;
  LessonProgress m_progress;
  QList<TargetMark*> m_marks;
  QList<QPointer<QWidget>> m_watched;  ///< what is framed; pages may go
  QTimer m_checking;                   ///< what changed together is looked at once
  Derived<LessonText> m_text;
};

}  // namespace qaq::views
