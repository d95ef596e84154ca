#include "views/shell/lesson_guide.h"

#include <QDockWidget>
#include <QEvent>
#include <QFileInfo>
#include <QUndoCommand>
#include <algorithm>
#include <utility>

#include "views/commands/parameter_edits.h"
#include "views/panels/lesson_panel.h"
#include "views/panels/parameter_field.h"
#include "views/panels/parameter_panel.h"
#include "views/plots/policy_text.h"
#include "views/shell/dock_layout.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/status_line.h"
#include "views/shell/target_mark.h"
#include "views/shell/view_snapshot.h"
#include "views/shell/window_commands.h"

namespace qaq::views {

/// Where one looked before and after "Show me". Parameters are steps of their own beside it.
class LessonGuide::Look : public QUndoCommand {
 public:
  Look(MainWindow* window, ViewSnapshot before, int pages)
      : m_window(window),
        m_before(std::move(before)),
        m_after(ViewSnapshot::take(window->workspace(), *window->page())),
        m_pages(pages) {
    m_added = window->page()->layouts().mid(pages);
  }

  void undo() override {
    PageStack& pages = *m_window->page();
    for (int i = 0; i < m_added.size() && pages.count() > m_pages; ++i) {
      pages.closePage(pages.count() - 1);
    }
    m_before.restore(m_window->workspace(), pages);
  }
  void redo() override {
    // It is pushed once all has been done.
    if (std::exchange(m_isPushed, true)) {
      for (const PageLayout& page : m_added) m_window->page()->addPage(page);
      m_after.restore(m_window->workspace(), *m_window->page());
    }
  }

 private:
  MainWindow* m_window;
  ViewSnapshot m_before, m_after;
  int m_pages;                ///< that there were before
  QList<PageLayout> m_added;  ///< behind them
  bool m_isPushed = false;
};

LessonGuide::LessonGuide(MainWindow* window, LessonPanel* panel, const LessonServices& services)
    : QObject(window),
      m_window(window),
      m_panel(panel),
      m_services(services),
      m_text([this](const auto& text) { m_panel->setText(*text); },
             [this](const QString& line) { m_panel->setError(line); }) {
  m_checking.setSingleShot(true);
  m_checking.setInterval(0);
  connect(&m_checking, &QTimer::timeout, this, [this] {
    check();
    mark();
  });
  connect(panel, &LessonPanel::lessonChosen, this, &LessonGuide::open);
  connect(panel, &LessonPanel::listWanted, this, &LessonGuide::close);
  connect(panel, &LessonPanel::nextWanted, this, &LessonGuide::next);
  connect(panel, &LessonPanel::backWanted, this, &LessonGuide::back);
  connect(panel, &LessonPanel::captureWanted, this, &LessonGuide::openCapture);
  connect(panel, &LessonPanel::showMeWanted, this, [this] {
    m_window->commands().registry().tryTrigger({.id = QStringLiteral("lesson.show")});
  });
  connect(panel, &LessonPanel::handOutWanted, this, [this] {
    m_window->commands().registry().tryTrigger({.id = QStringLiteral("lesson.export")});
  });
  showList();
}

LessonGuide::~LessonGuide() = default;

void LessonGuide::connectWindow() {
  const auto look = [this] { m_checking.start(); };
  Workspace& workspace = m_window->workspace();
  const SelectionModel& selection = workspace.selection();
  connect(&selection, &SelectionModel::sliceChanged, this, look);
  connect(&selection, &SelectionModel::lockChanged, this, look);
  connect(&workspace, &Workspace::prefixChanged, this, look);
  connect(m_window->page(), &QTabWidget::currentChanged, this, look);
  connect(&m_window->commands().registry(), &CommandRegistry::ran, this, look);
  connect(&m_window->commands().edits().stack(), &QUndoStack::indexChanged, this, look);
  for (QDockWidget* dock : m_window->docks()->docks()) {
    connect(dock, &QDockWidget::visibilityChanged, this, look);
  }
  connect(&workspace, &Workspace::changed, this, [this, look] {
    requestText();
    look();
  });
  connect(&workspace, &Workspace::opened, this, [this] {
    if (m_lesson) showStep();
  });
}

QStringList LessonGuide::titles() const {
  QStringList all;
  for (const Lesson& lesson : lessons()) all.push_back(QString::fromStdString(lesson.title));
  return all;
}

QString LessonGuide::capturePath() const {
  return m_services.samplePath ? m_services.samplePath(m_lesson->capture) : QString();
}

bool LessonGuide::hasCapture() const {
  const Workspace& workspace = m_window->workspace();
  return m_lesson && workspace.capture() && QFileInfo(workspace.path()) == QFileInfo(capturePath());
}

void LessonGuide::open(int index) {
  m_lesson = &lessons()[static_cast<std::size_t>(index)];
  const QString id = QString::fromStdString(m_lesson->id);
  m_progress = m_services.store ? m_services.store->progress(id) : LessonProgress{};
  const auto left =
      std::ranges::find(m_lesson->steps, m_progress.step.toStdString(), &LessonStep::id);
  m_step =
      left == m_lesson->steps.end() ? 0 : static_cast<std::size_t>(left - m_lesson->steps.begin());
  if (!m_window->workspace().capture() && !m_window->workspace().isLoading()) openCapture();
  goTo(m_step);
}

void LessonGuide::openCapture() {
  const QString path = capturePath();
  if (!path.isEmpty()) m_window->openLessonCapture(path);
}

void LessonGuide::close() {
  m_lesson = nullptr;
  m_window->docks()->setReading(false);
  m_window->docks()->bringUp(QStringLiteral("lesson"));
  showList();
  mark();
  emit changed();
}

void LessonGuide::showList() {
  QList<LessonPanel::Entry> entries;
  for (const Lesson& lesson : lessons()) {
    const LessonProgress kept = m_services.store
                                    ? m_services.store->progress(QString::fromStdString(lesson.id))
                                    : LessonProgress{};
    int done = 0;
    for (const LessonStep& step : lesson.steps) {
      if (kept.done.contains(QString::fromStdString(step.id))) ++done;
    }
    entries.push_back(
        {QString::fromStdString(lesson.title), done, static_cast<int>(lesson.steps.size())});
  }
  m_panel->showList(entries);
}

void LessonGuide::goTo(std::size_t step) {
  m_step = step;
  m_progress.step = QString::fromStdString(currentStep().id);
  // What only has to be read is done once it is seen.
  if (currentStep().done.empty() && !m_progress.done.contains(m_progress.step)) {
    m_progress.done.push_back(m_progress.step);
  }
  keep();
  showStep();
  emit changed();
}

void LessonGuide::next() {
  if (m_step + 1 < m_lesson->steps.size()) {
    goTo(m_step + 1);
  } else {
    close();
  }
}

void LessonGuide::back() {
  if (m_step > 0) goTo(m_step - 1);
}

void LessonGuide::showStep() {
  const bool known = hasCapture();
  m_panel->showPage({.lesson = QString::fromStdString(m_lesson->title),
                     .step = QString::fromStdString(currentStep().title),
                     .index = static_cast<int>(m_step),
                     .count = static_cast<int>(m_lesson->steps.size()),
                     .done = doneSteps(),
                     .canShow = !currentStep().commands.empty(),
                     .isDone = isDone(),
                     .canHandOut = static_cast<bool>(m_services.handOut),
                     .capture = known || m_window->workspace().isLoading()
                                    ? QString()
                                    : QFileInfo(capturePath()).fileName()});
  requestText();
  m_checking.start();
}

LessonData LessonGuide::data() const {
  const Workspace& workspace = m_window->workspace();
  LessonData data{.capture = workspace.capture(),
                  .params = workspace.params(),
                  .measured = m_services.measured};
  if (const SharedSlice& shown = workspace.shown();
      shown && shown->analysis->capture == data.capture) {
    data.params = shown->analysis->params;
    if (shown->analysis->stage == Analysis::Stage::scores) data.replay = shown->analysis->replay;
    data.violations = shown->analysis->violations;
  }
  return data;
}

void LessonGuide::requestText() {
  if (!m_lesson) return;
  const LessonData now = data();
  // On its way: its numbers come with it.
  if (!now.replay) return;
  if (!now.params.is_qaq()) {
    m_panel->setError(
        tr("Lessons are about qaq, and %1 is shown. “Choose policy…” with qaq goes on.")
            .arg(policyName(now.params)));
    return;
  }
  m_text.request([lesson = *m_lesson, step = m_step, now](const Work& work) {
    return std::make_shared<const LessonText>(lessonText(lesson, step, now, work));
  });
}

LessonState LessonGuide::state() const {
  const Workspace& workspace = m_window->workspace();
  const SelectionModel& selection = workspace.selection();
  LessonState state{.parameters = list_parameters(workspace.params()),
                    .prefix = workspace.prefix()};
  for (const PlotView* view : m_window->viewsInSight()) {
    if (view->isVisible()) state.views.push_back(view->id().toStdString());
  }
  if (!workspace.capture()) return state;
  const auto number = [&](int index) {
    return workspace.capture()->info().layers[static_cast<std::size_t>(index)];
  };
  const Slice& slice = selection.slice();
  state.layer = number(slice.layer);
  state.head = slice.kvHead;
  state.query_head = slice.queryHead;
  state.cache = slice.side == CacheSide::key ? "key" : "value";
  state.locked = selection.locked().has_value();
  if (state.locked) state.token = selection.locked()->token;
  return state;
}

bool LessonGuide::isDone() const {
  return m_lesson && hasCapture() && !currentStep().done.empty() &&
         hold(currentStep().done, state());
}

QList<int> LessonGuide::doneSteps() const {
  QList<int> done;
  for (std::size_t i = 0; i < m_lesson->steps.size(); ++i) {
    if (m_progress.done.contains(QString::fromStdString(m_lesson->steps[i].id))) {
      done.push_back(static_cast<int>(i));
    }
  }
  return done;
}

void LessonGuide::check() {
  if (!m_lesson) return;
  const bool done = isDone();
  const QString id = QString::fromStdString(currentStep().id);
  if (done && !m_progress.done.contains(id)) {
    m_progress.done.push_back(id);
    keep();
  }
  m_panel->setDone(done, doneSteps());
}

void LessonGuide::keep() {
  if (m_services.store) m_services.store->keep(QString::fromStdString(m_lesson->id), m_progress);
}

void LessonGuide::showMe() {
  WindowCommands& commands = m_window->commands();
  QUndoStack& stack = commands.edits().stack();
  const ViewSnapshot before = ViewSnapshot::take(m_window->workspace(), *m_window->page());
  const int pages = m_window->page()->count();
  stack.beginMacro(tr("Show me: %1").arg(QString::fromStdString(currentStep().title)));
  std::exception_ptr failure;
  try {
    for (const std::string& line : currentStep().commands) {
      commands.registry().triggerLine(QString::fromStdString(line));
    }
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  stack.push(new Look(m_window, before, pages));
  stack.endMacro();
  if (!failure) return;
  stack.undo();
  std::rethrow_exception(failure);
}

void LessonGuide::handOut(const QString& path) {
  StatusLine* status = m_window->status();
  const QString name = QFileInfo(path).fileName();
  status->showMessage(tr("Writing %1 …").arg(name));
  m_services.handOut(QString::fromStdString(m_lesson->id), path,
                     [status, name](const QString& error) {
                       if (error.isEmpty()) {
                         status->showMessage(tr("written: %1").arg(name), 8000);
                       } else {
                         status->clearMessage();
                         status->setError(error);
                       }
                     });
}

QWidget* LessonGuide::target(const std::string& name) const {
  const QString id = QString::fromStdString(name);
  if (PlotView* view = m_window->page()->current()->view(id)) return view;
  if (PlotView* view = m_window->dockedView(id)) return view;
  if (QWidget* field = m_window->parameters()->field(id)) return field;
  QDockWidget* dock = m_window->docks()->dock(id);
  return dock ? dock->widget() : nullptr;
}

void LessonGuide::mark() {
  for (const QPointer<QWidget>& watched : m_watched) {
    if (watched) watched->removeEventFilter(this);
  }
  m_watched.clear();
  QList<QWidget*> targets;
  if (m_lesson && m_panel->isVisible() && hasCapture()) {
    for (const std::string& name : currentStep().highlight) {
      QWidget* found = target(name);
      if (found && found->isVisible()) targets.push_back(found);
    }
  }
  while (m_marks.size() < targets.size()) m_marks.push_back(new TargetMark(m_window));
  for (int i = 0; i < m_marks.size(); ++i) {
    QWidget* at = i < targets.size() ? targets[i] : nullptr;
    m_marks[i]->setTarget(at, m_window->theme().accent);
    if (!at) continue;
    m_watched.push_back(at);
    at->installEventFilter(this);
  }
}

bool LessonGuide::eventFilter(QObject* watched, QEvent* event) {
  switch (event->type()) {
    case QEvent::Resize:
    case QEvent::Move:
    case QEvent::Show:
    case QEvent::Hide:
      m_checking.start();
      break;
    default:
      break;
  }
  return QObject::eventFilter(watched, event);
}

void LessonGuide::setTheme(const Theme& theme) {
  m_panel->setTheme(theme);
  m_checking.start();
}

}  // namespace qaq::views
