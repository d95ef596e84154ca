#include "views/shell/diagnosis_commands.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "views/commands/command_registry.h"
#include "views/commands/selection_commands.h"
#include "views/models/diagnoser.h"
#include "views/shell/main_window.h"

namespace qaq::views {
namespace {

QString needsModel(MainWindow& window) {
  const QString why = needsCapture(window.workspace());
  if (!why.isEmpty()) return why;
  if (!window.diagnoser()->isOffered()) return MainWindow::tr("this program runs no models");
  if (!window.workspace().params().is_qaq()) {
    return MainWindow::tr("it explains what the policy qaq breaks; choose that with “policy qaq”");
  }
  return window.diagnoser()->isRunning() ? MainWindow::tr("a diagnosis runs; cancel it first")
                                         : QString();
}

QString needsDiagnosis(MainWindow& window) {
  const QString why = needsCapture(window.workspace());
  if (!why.isEmpty() || window.diagnoser()->result()) return why;
  return MainWindow::tr("there is no diagnosis yet; run one with “Diagnose…”");
}

const QString kYes = QStringLiteral("yes"), kNo = QStringLiteral("no");

double marginOf(const QString& text) {
  bool isNumber = false;
  const double margin = text.toDouble(&isNumber);
  if (isNumber && margin >= 0) return margin;
  refuse_usage({.place = "diagnose.run",
                .what = cat("'", text.toStdString(), "' is no coin-flip margin"),
                .cure = "give a number of logits, 0 or more"});
}

void addRun(CommandRegistry& registry, MainWindow& window) {
  const auto tokens = [&window] {
    const SharedCapture& capture = window.workspace().capture();
    return capture ? static_cast<int>(capture->info().n_tokens) : 0;
  };
  registry.add(
      {.id = "diagnose.run",
       .word = "diagnose",
       .text = MainWindow::tr("Diagnose…"),
       .help = MainWindow::tr("Says with a model which predictions the shown setting breaks, where "
                              "and why; without arguments a form asks"),
       .keywords = MainWindow::tr("failures why divergence cause model"),
       .menu = "diagnose",
       .arguments =
           {{.name = "model",
             .help = MainWindow::tr("A known name, a file or a folder; left out, a form asks"),
             .choices = [&window] { return window.diagnoser()->maker().models; },
             .optional = true},
            {.name = "prefix",
             .help = MainWindow::tr("Tokens that are quantized; left out, the prompt"),
             .kind = CommandArgument::Kind::whole,
             .range =
                 [tokens] {
                   return CommandArgument::Range{1, tokens()};
                 },
             .optional = true},
            {.name = "generate",
             .help = MainWindow::tr("Tokens of the whole cache's text, where none follow"),
             .kind = CommandArgument::Kind::whole,
             .range =
                 [] {
                   return CommandArgument::Range{1, 1 << 20};
                 },
             .optional = true},
            {.name = "step",
             .help = MainWindow::tr("The prediction to explain; left out, the first that diverged"),
             .kind = CommandArgument::Kind::whole,
             .range =
                 [] {
                   return CommandArgument::Range{0, 1 << 20};
                 },
             .optional = true},
            {.name = "margin",
             .help = MainWindow::tr("Coin-flips are changes where the logits are nearer than this"),
             .optional = true},
            {.name = "heads",
             .help = MainWindow::tr("yes: KL with each head of the cache to blame left exact, for "
                                    "a replay a head"),
             .kind = CommandArgument::Kind::choice,
             .choices =
                 [] {
                   return QStringList{kNo, kYes};
                 },
             .optional = true}},
       .blocked = [&window] { return needsModel(window); },
       .run =
           [&window](const CommandArguments& arguments) {
             if (arguments.isEmpty()) return window.askForDiagnosis();
             DiagnosisForm form = window.startForm();
             if (arguments.contains("model")) form.model = arguments["model"].toString();
             if (arguments.contains("prefix")) form.prefix = arguments["prefix"].toInt();
             if (arguments.contains("generate")) form.generate = arguments["generate"].toInt();
             if (arguments.contains("step")) form.step = arguments["step"].toInt();
             if (arguments.contains("margin")) {
               form.coinFlipMargin = marginOf(arguments["margin"].toString());
             }
             if (arguments.contains("heads")) form.heads = arguments["heads"] == kYes;
             window.diagnose(form);
           }});
  registry.add({.id = "diagnose.cancel",
                .word = "diagnose-cancel",
                .text = MainWindow::tr("Cancel diagnosis"),
                .help = MainWindow::tr("Stops the model; the last diagnosis stands"),
                .keywords = MainWindow::tr("stop abort"),
                .menu = "diagnose",
                .blocked =
                    [&window] {
                      return window.diagnoser()->isRunning() ? QString()
                                                             : MainWindow::tr("no diagnosis runs");
                    },
                .run = [&window](const CommandArguments&) { window.diagnoser()->cancel(); }});
}

void addFailures(CommandRegistry& registry, MainWindow& window) {
  const auto add = [&](Command command, int by, const QString& none) {
    command.menu = QStringLiteral("diagnose");
    command.section = QStringLiteral("failures");
    command.blocked = [&window, by, none] {
      const QString why = needsDiagnosis(window);
      return why.isEmpty() && !window.diagnoser()->failure(by) ? none : why;
    };
    command.run = [&window, by](const CommandArguments&) {
      window.lookAtStep(*window.diagnoser()->failure(by));
    };
    registry.add(std::move(command));
  };
  add({.id = "diagnose.next",
       .word = "next-failure",
       .text = MainWindow::tr("Next failure"),
       .help = MainWindow::tr("Looks at the next step that diverged"),
       .keywords = MainWindow::tr("divergence forward"),
       .shortcuts = {QKeySequence(QStringLiteral("N"))}},
      1, MainWindow::tr("no later step diverged"));
  add({.id = "diagnose.previous",
       .word = "previous-failure",
       .text = MainWindow::tr("Previous failure"),
       .help = MainWindow::tr("Looks at the step before that diverged"),
       .keywords = MainWindow::tr("divergence back"),
       .shortcuts = {QKeySequence(QStringLiteral("Shift+N"))}},
      -1, MainWindow::tr("no earlier step diverged"));
}

void addFindings(CommandRegistry& registry, MainWindow& window) {
  registry.add({.id = "diagnose.cells",
                .word = "blamed-cells",
                .text = MainWindow::tr("Show cells to blame"),
                .help = MainWindow::tr("Locks the strongest of the cells to blame, and keeps them "
                                       "as a slice"),
                .keywords = MainWindow::tr("where slice suspects"),
                .menu = "diagnose",
                .section = "findings",
                .blocked =
                    [&window] {
                      const QString why = needsDiagnosis(window);
                      if (!why.isEmpty()) return why;
                      return window.diagnoser()->result()->diagnosis.cells.empty()
                                 ? MainWindow::tr("no cells are to blame")
                                 : QString();
                    },
                .run = [&window](const CommandArguments&) { window.showBlamedCells(); }});
  registry.add({.id = "diagnose.export",
                .word = "export-report",
                .text = MainWindow::tr("Export report…"),
                .help = MainWindow::tr("Writes the diagnosis as one HTML page, or as Markdown with "
                                       "pictures beside it"),
                .keywords = MainWindow::tr("save html markdown"),
                .menu = "diagnose",
                .section = "findings",
                .arguments = {{.name = "path",
                               .help = MainWindow::tr("REPORT.html or REPORT.md; left out, it is "
                                                      "asked for"),
                               .optional = true}},
                .blocked = [&window] { return needsDiagnosis(window); },
                .run =
                    [&window](const CommandArguments& arguments) {
                      window.exportDiagnosis(arguments["path"].toString());
                    }});
}

}  // namespace

void addDiagnosisCommands(CommandRegistry& registry, MainWindow& window) {
  addRun(registry, window);
  addFailures(registry, window);
  addFindings(registry, window);
}

}  // namespace qaq::views
