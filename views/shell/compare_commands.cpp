#include "views/shell/compare_commands.h"

#include <QAction>

#include "views/commands/command_registry.h"
#include "views/commands/compare_edits.h"
#include "views/commands/selection_commands.h"
#include "views/plots/compare_view.h"
#include "views/plots/run_label.h"
#include "views/plots/view_choice.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/window_commands.h"

namespace qaq::views {
namespace {

QKeySequence key(const char* text) { return QKeySequence(QString::fromLatin1(text)); }

QString wholeCache() { return MainWindow::tr("the whole cache"); }

QString needsA(const MainWindow& window) {
  const Workspace& workspace = window.workspace();
  const QString why = needsCapture(workspace);
  if (!why.isEmpty() || workspace.reference()) return why;
  return MainWindow::tr("nothing is compared; choose what with “Compare with…”");
}

QStringList runLabels(MainWindow& window) {
  QStringList labels{wholeCache()};
  for (const RunList::Run& run : window.runs().runs()) labels.push_back(runLabel(run.summary));
  labels.removeDuplicates();
  return labels;
}

void addChoices(CommandRegistry& registry, MainWindow& window) {
  registry.add({.id = "compare.choose",
                .word = "compare",
                .text = MainWindow::tr("Compare with…"),
                .help = MainWindow::tr("Holds what is shown, B, against a run of the list or the "
                                       "whole cache, A"),
                .keywords = MainWindow::tr("reference pin difference"),
                .menu = "compare",
                .arguments = {{.name = "run",
                               .help = MainWindow::tr("A run of the list"),
                               .kind = CommandArgument::Kind::choice,
                               .choices = [&window] { return runLabels(window); }}},
                .blocked = [&window] { return needsCapture(window.workspace()); },
                .run =
                    [&window](const CommandArguments& arguments) {
                      const QString wanted = arguments["run"].toString();
                      const auto& runs = window.runs().runs();
                      for (std::size_t i = 0; i < runs.size(); ++i) {
                        if (runLabel(runs[i].summary) != wanted) continue;
                        window.compareWithRun(static_cast<int>(i));
                        return;
                      }
                      window.compareWithWhole();
                    }});
  registry.add(
      {.id = "compare.capture",
       .word = "compare-file",
       .text = MainWindow::tr("Compare with a capture…"),
       .help = MainWindow::tr("Holds what is shown, B, against another capture, A, under "
                              "the same setting, or against FILE#RUN"),
       .keywords = MainWindow::tr("file reference difference"),
       .menu = "compare",
       .arguments = {{.name = "path",
                      .help = MainWindow::tr("FILE or FILE#RUN; left out, it is asked for"),
                      .optional = true}},
       .blocked = [&window] { return needsCapture(window.workspace()); },
       .run =
           [&window](const CommandArguments& arguments) {
             window.compareWithFile(arguments["path"].toString());
           }});
  registry.add({.id = "compare.clear",
                .word = "compare-clear",
                .text = MainWindow::tr("Compare with nothing"),
                .help = MainWindow::tr("What is shown is held against nothing any more"),
                .keywords = MainWindow::tr("reference remove end"),
                .menu = "compare",
                .blocked = [&window] { return needsA(window); },
                .run =
                    [&window](const CommandArguments&) {
                      chooseReference(window.commands().edits().stack(), window.workspace(),
                                      std::nullopt);
                    }});
}

CompareView* compareView(const MainWindow& window) {
  return static_cast<CompareView*>(window.page()->view(QStringLiteral("compare")));
}

QString needsView(const MainWindow& window) {
  const QString why = needsCapture(window.workspace());
  if (!why.isEmpty() || compareView(window)) return why;
  return MainWindow::tr("no page shows A and B; choose the perspective “Compare”");
}

void addModes(CommandRegistry& registry, MainWindow& window) {
  const auto modes = [] {
    QStringList names;
    for (const std::string_view name : ChoiceNames<CompareMode>::names) {
      names.push_back(choiceName(name));
    }
    return names;
  };
  registry.add({.id = "compare.mode",
                .word = "compare-mode",
                .text = MainWindow::tr("Show A and B…"),
                .help = MainWindow::tr("Maps of A and B side by side with their difference, or as "
                                       "one map with a divider"),
                .keywords = MainWindow::tr("swipe side by side divider slider"),
                .menu = "compare",
                .section = "modes",
                .arguments = {{.name = "mode",
                               .help = MainWindow::tr("beside or swipe"),
                               .kind = CommandArgument::Kind::choice,
                               .choices = modes}},
                .blocked = [&window] { return needsView(window); },
                .run =
                    [&window, modes](const CommandArguments& arguments) {
                      const qsizetype mode = modes().indexOf(arguments["mode"].toString());
                      compareView(window)->setMode(static_cast<CompareMode>(mode));
                      window.page()->bringUp(QStringLiteral("compare"));
                    }});
  registry.add({.id = "compare.divider",
                .word = "divider",
                .text = MainWindow::tr("Move the divider…"),
                .help = MainWindow::tr("How much of the map shows A, in per cent of its width from "
                                       "the left; the rest shows B"),
                .keywords = MainWindow::tr("swipe"),
                .menu = "compare",
                .section = "modes",
                .arguments = {{.name = "percent",
                               .help = MainWindow::tr("0 to 100"),
                               .kind = CommandArgument::Kind::whole,
                               .range =
                                   [] {
                                     return CommandArgument::Range{0, 100};
                                   }}},
                .blocked =
                    [&window] {
                      const QString why = needsView(window);
                      if (!why.isEmpty()) return why;
                      if (compareView(window)->mode() == CompareMode::swipe) return QString();
                      return MainWindow::tr("there is no divider; “Show A and B… swipe” has one");
                    },
                .run =
                    [&window](const CommandArguments& arguments) {
                      compareView(window)->setDivider(arguments["percent"].toInt() / 100.0);
                    }});
}

void addKeys(CommandRegistry& registry, MainWindow& window) {
  registry.add({.id = "compare.toggle",
                .word = "compare-toggle",
                .text = MainWindow::tr("Compare"),
                .help = MainWindow::tr("Holds what is shown against A, or no longer; A is kept"),
                .keywords = MainWindow::tr("difference on off"),
                .shortcuts = {key("C")},
                .menu = "compare",
                .section = "keys",
                .blocked = [&window] { return needsA(window); },
                .checked = [&window] { return window.workspace().isComparing(); },
                .run =
                    [&window](const CommandArguments&) {
                      Workspace& workspace = window.workspace();
                      workspace.setComparing(!workspace.isComparing());
                      if (workspace.isComparing()) {
                        window.page()->bringUp(QStringLiteral("compare"));
                      }
                    }});
  registry.add({.id = "compare.swap",
                .word = "swap",
                .text = MainWindow::tr("Swap A and B"),
                .help = MainWindow::tr("Shows what B is held against, and holds it against what "
                                       "was shown"),
                .keywords = MainWindow::tr("exchange turn"),
                .shortcuts = {key("X")},
                .menu = "compare",
                .section = "keys",
                .blocked = [&window] { return needsA(window); },
                .run = [&window](const CommandArguments&) { window.swapCompared(); }});
  registry
      .add(
          {.id = "compare.blink",
           .word = "blink",
           .text = MainWindow::tr("Blink to A"),
           .help = MainWindow::tr("Shows A in every view while the key is held down"),
           .keywords = MainWindow::tr("flicker difference"),
           .shortcuts = {key("B")},
           .menu = "compare",
           .section = "keys",
           .blocked = [&window] { return window.whyNoBlink(); },
           .checked = [&window] { return window.isBlinking(); },
           .run = [&window](const CommandArguments&) { window.setBlinking(!window.isBlinking()); }})
      ->setAutoRepeat(false);
}

}  // namespace

void addCompareCommands(CommandRegistry& registry, MainWindow& window) {
  addChoices(registry, window);
  addModes(registry, window);
  addKeys(registry, window);
}

}  // namespace qaq::views
