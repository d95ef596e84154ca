// Every text that the window shows can be translated: under a pseudo-locale that puts brackets
// around what goes through tr(), nothing is without.
#include <QAbstractButton>
#include <QAction>
#include <QComboBox>
#include <QDockWidget>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QTabBar>
#include <QTranslator>
#include <gtest/gtest.h>

#include "core/policy/policies.h"
#include "tests/views/views_fixture.h"
#include "views/panels/export_dialog.h"
#include "views/plots/chart_view.h"
#include "views/plots/view_list.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/window_commands.h"

namespace qaq::views {
namespace {

/// Brackets, and a third more letters, as other languages have.
class PseudoLocale : public QTranslator {
 public:
  QString translate(const char*, const char* source, const char*, int) const override {
    const QString text = QString::fromUtf8(source);
    return QStringLiteral("⟦") + text + QString(text.size() / 3, QLatin1Char('~')) +
           QStringLiteral("⟧");
  }
  bool isEmpty() const override { return false; }
};

/// Names that are the same in every language: policies with what they are, parameters and their
/// choices, which files and the command line use; letters of the mathematics; the file; the
/// program.
bool isName(const QString& text) {
  static const QSet<QString> kNames = [] {
    QSet<QString> names{"K", "V", "QAQ Scope", "planted.h5", "synthetic", "CSV", "PDF"};
    for (const PolicyEntry& policy : policies()) {
      for (const std::string_view each : {policy.name, policy.help}) {
        names.insert(QString::fromUtf8(each.data(), static_cast<qsizetype>(each.size())));
      }
    }
    for (const Parameter& parameter : list_parameters(ScopeParams{})) {
      QString name = QString::fromUtf8(parameter.info.name.data(),
                                       static_cast<qsizetype>(parameter.info.name.size()));
      names.insert(name);
      names.insert(name.replace(QLatin1Char('_'), QLatin1Char(' ')));
      names.insert(QString::fromStdString(parameter.name));
      for (const std::string& choice : parameter.choices) {
        names.insert(QString::fromStdString(choice));
      }
    }
    return names;
  }();
  // "V · L1 · KVH1 · tok 7" is a notation, which commands read, too.
  static const QRegularExpression kCoordinate(
      QStringLiteral("^[KV] · L\\d+ · KVH\\d+( · tok .*)?$"));
  return kNames.contains(text) || kCoordinate.match(text).hasMatch();
}

class Translation : public testing::Test {
 protected:
  Translation() { QCoreApplication::installTranslator(&locale); }
  ~Translation() override { QCoreApplication::removeTranslator(&locale); }

  void expectTranslated(const QString& text, const QString& where) {
    static const QRegularExpression kLetters(QStringLiteral("[A-Za-z]{2}"));
    if (!text.contains(kLetters) || isName(text.trimmed())) return;
    EXPECT_TRUE(text.contains(QStringLiteral("⟦")))
        << where.toStdString() << ": " << text.toStdString();
  }
  void expectTranslated(QWidget* root) {
    QList<QWidget*> widgets = root->findChildren<QWidget*>();
    widgets.push_back(root);
    for (QWidget* widget : widgets) {
      const QString where = QStringLiteral("%1 %2").arg(
          QLatin1String(widget->metaObject()->className()), widget->objectName());
      expectTranslated(widget->windowTitle(), where);
      if (auto* label = qobject_cast<QLabel*>(widget)) expectTranslated(label->text(), where);
      if (auto* button = qobject_cast<QAbstractButton*>(widget)) {
        expectTranslated(button->text(), where);
      }
      if (auto* bar = qobject_cast<QTabBar*>(widget)) {
        for (int i = 0; i < bar->count(); ++i) expectTranslated(bar->tabText(i), where);
      }
      if (auto* box = qobject_cast<QComboBox*>(widget)) {
        for (int i = 0; i < box->count(); ++i) expectTranslated(box->itemText(i), where);
      }
      if (auto* header = qobject_cast<QHeaderView*>(widget)) {
        for (int i = 0; header->model() && i < header->count(); ++i) {
          expectTranslated(header->model()->headerData(i, header->orientation()).toString(), where);
        }
      }
      if (auto* pane = qobject_cast<MapPane*>(widget)) {
        expectTranslated(pane->header()->text(), where);
        expectTranslated(pane->xAxis->label(), where);
        expectTranslated(pane->yAxis->label(), where);
        if (pane->footer()) expectTranslated(pane->footer()->text(), where);
      }
      if (auto* plot = qobject_cast<ChartPlot*>(widget)) {
        for (const QCPAxisRect* panel : plot->panels()) {
          for (const QCPAxis* axis : panel->axes()) expectTranslated(axis->label(), where);
        }
        for (int i = 0; i < plot->plottableCount(); ++i) {
          expectTranslated(plot->plottable(i)->name(), where);
        }
      }
      expectTranslated(widget->accessibleName(), where + QStringLiteral(" (accessible name)"));
    }
  }

  PseudoLocale locale;
};

TEST_F(Translation, ReachesEveryTextOfTheWindow) {
  MainWindow window([](const std::string&, const Work&) { return test::plantedCapture(); });
  window.resize(1600, 1000);
  window.show();
  expectTranslated(&window);
  window.workspace().open("planted.h5");
  const auto settle = [&] {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(test::waitFor([&] {
        QApplication::processEvents();
        return window.isSettled();
      }));
    }
  };
  settle();
  window.workspace().selection().lock({.layer = 1, .kvHead = 1, .token = 7, .step = 30});
  for (int page = 0; page < window.page()->count(); ++page) {
    window.page()->setCurrentIndex(page);
    settle();
    expectTranslated(&window);
    for (const PlotView* view : window.viewsInSight()) {
      expectTranslated(view->title(), view->id());
      expectTranslated(view->summary(), view->id() + QStringLiteral(" (summary)"));
    }
  }
}

TEST_F(Translation, ReachesEveryCommand) {
  MainWindow window([](const std::string&, const Work&) { return test::plantedCapture(); });
  for (const Command* command : window.commands().registry().all()) {
    for (const QString& text : {command->text, command->help}) expectTranslated(text, command->id);
    for (const CommandArgument& argument : command->arguments) {
      expectTranslated(argument.help, command->id);
    }
  }
}

TEST_F(Translation, ReachesDialogs) {
  ExportDialog dialog;
  dialog.offer({{"bits", "⟦Bits⟧", true}}, "bits", {960, 480});
  expectTranslated(&dialog);
}

}  // namespace
}  // namespace qaq::views
