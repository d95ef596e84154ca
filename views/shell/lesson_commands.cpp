#include "views/shell/lesson_commands.h"

#include <QFileDialog>

#include "views/commands/command_registry.h"
#include "views/commands/selection_commands.h"
#include "views/shell/dock_layout.h"
#include "views/shell/lesson_guide.h"
#include "views/shell/main_window.h"

namespace qaq::views {
namespace {

void addSteps(CommandRegistry& registry, LessonGuide& guide) {
  const auto open = [&guide] {
    return guide.lesson() ? QString() : LessonGuide::tr("no lesson is open; open one first");
  };
  const auto add = [&registry, open](Command command) {
    command.menu = QStringLiteral("lessons");
    command.section = QStringLiteral("step");
    if (!command.blocked) command.blocked = open;
    registry.add(std::move(command));
  };
  add({.id = "lesson.show",
       .word = "show-me",
       .text = LessonGuide::tr("Show me"),
       .help = LessonGuide::tr("Does what the lesson's step asks for, as one step to undo"),
       .keywords = LessonGuide::tr("lesson do"),
       .shortcuts = {QKeySequence(QStringLiteral("Ctrl+Space"))},
       .blocked =
           [&guide, open] {
             const QString why = open();
             if (!why.isEmpty()) return why;
             if (!guide.hasCapture()) {
               return LessonGuide::tr("the lesson's capture is not open; open it first");
             }
             return guide.currentStep().commands.empty()
                        ? LessonGuide::tr("there is nothing to do in this step; go to the next")
                        : QString();
           },
       .run = [&guide](const CommandArguments&) { guide.showMe(); }});
  add({.id = "lesson.next",
       .word = "lesson-next",
       .text = LessonGuide::tr("Next step"),
       .help = LessonGuide::tr("Goes to the lesson's next step; behind the last to the list"),
       .keywords = LessonGuide::tr("lesson forward"),
       .run = [&guide](const CommandArguments&) { guide.next(); }});
  add({.id = "lesson.back",
       .word = "lesson-back",
       .text = LessonGuide::tr("Step before"),
       .help = LessonGuide::tr("Goes to the lesson's step before"),
       .keywords = LessonGuide::tr("lesson previous"),
       .blocked =
           [&guide, open] {
             const QString why = open();
             if (!why.isEmpty() || guide.step() > 0) return why;
             return LessonGuide::tr("this is the first step");
           },
       .run = [&guide](const CommandArguments&) { guide.back(); }});
  add({.id = "lesson.close",
       .word = "lesson-close",
       .text = LessonGuide::tr("All lessons"),
       .help = LessonGuide::tr("Leaves the lesson; it goes on where it was left"),
       .keywords = LessonGuide::tr("lesson list close"),
       .run = [&guide](const CommandArguments&) { guide.close(); }});
}

void addExport(CommandRegistry& registry, MainWindow& window, LessonGuide& guide) {
  registry.add({.id = "lesson.export",
                .word = "lesson-export",
                .text = LessonGuide::tr("Hand-out…"),
                .help = LessonGuide::tr("Writes the lesson as one HTML file, with its pictures"),
                .keywords = LessonGuide::tr("lesson export html print"),
                .menu = "lessons",
                .section = "export",
                .arguments = {{.name = "path",
                               .help = LessonGuide::tr("The file; left out, it is asked for"),
                               .optional = true}},
                .blocked =
                    [&guide] {
                      return guide.lesson() ? QString()
                                            : LessonGuide::tr("no lesson is open; open one first");
                    },
                .run =
                    [&window, &guide](const CommandArguments& arguments) {
                      QString path = arguments["path"].toString();
                      if (path.isEmpty()) {
                        path = QFileDialog::getSaveFileName(
                            &window, LessonGuide::tr("Hand-out"),
                            QString::fromStdString(guide.lesson()->id) + QStringLiteral(".html"),
                            LessonGuide::tr("Pages (*.html)"));
                      }
                      if (!path.isEmpty()) guide.handOut(path);
                    }});
}

}  // namespace

void addLessonCommands(CommandRegistry& registry, MainWindow& window) {
  LessonGuide& guide = *window.lessons();
  const LessonServices& services = window.services().lessons;
  if (services.lessons.empty()) return;
  const auto openAt = [&window, &guide](int index) {
    guide.open(index);
    window.showLessonDock();
  };
  registry.add({.id = "lesson.open",
                .word = "lesson",
                .text = LessonGuide::tr("Open lesson…"),
                .help = LessonGuide::tr("Opens a lesson in its dock, where it was left"),
                .keywords = LessonGuide::tr("teach learn tour tutorial"),
                .menu = "lessons",
                .arguments = {{.name = "lesson",
                               .help = LessonGuide::tr("A lesson by its title, name or number"),
                               .choices = [&guide] { return guide.titles(); }}},
                .run = [&guide, openAt](const CommandArguments& arguments) {
                  const std::string name = arguments["lesson"].toString().toStdString();
                  openAt(static_cast<int>(find_lesson(guide.lessons(), name)));
                }});
  const QStringList titles = guide.titles();
  for (int i = 0; i < titles.size(); ++i) {
    const Lesson& lesson = guide.lessons()[static_cast<std::size_t>(i)];
    registry.add({.id = QStringLiteral("lesson.open.") + QString::fromStdString(lesson.id),
                  .text = titles[i],
                  .help = LessonGuide::tr("Opens the lesson “%1”").arg(titles[i]),
                  .keywords = LessonGuide::tr("lesson teach learn"),
                  .menu = "lessons",
                  .section = "titles",
                  .run = [openAt, i](const CommandArguments&) { openAt(i); }});
  }
  addSteps(registry, guide);
  if (services.handOut) addExport(registry, window, guide);
  QObject::connect(&guide, &LessonGuide::changed, &registry, [&registry] { registry.refresh(); });
}

}  // namespace qaq::views
