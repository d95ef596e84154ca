// The window's commands as their user meets them: menus, keys, palette, undo, back and forward.
#include "views/shell/window_commands.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDockWidget>
#include <QKeySequenceEdit>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QPushButton>
#include <QSlider>
#include <QTimer>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/views/views_fixture.h"
#include "views/commands/cheat_sheet.h"
#include "views/commands/command_palette.h"
#include "views/commands/help_panel.h"
#include "views/commands/shortcut_editor.h"
#include "views/panels/parameter_field.h"
#include "views/panels/parameter_panel.h"
#include "views/plots/view_list.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/status_line.h"
#include "views/shell/view_help.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class WindowCommand : public testing::Test {
 protected:
  qaq::test::TemporaryFolder files;

  WindowCommand() : window([](const std::string&, const Work&) { return plantedCapture(); }) {
    window.commands().usePresets(
        {.names = {"paper"}, .apply = [](const std::string&, ScopeParams& params) {
           set_parameter(params, "n_bits_max", std::int64_t{4});
         }});
    window.setThemeChoice(MainWindow::ThemeChoice::light);
    window.resize(1280, 800);
    window.show();
    window.activateWindow();
  }
  void settle() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(waitFor([this] {
        QApplication::processEvents();
        return window.isSettled();
      }));
    }
  }
  void open() {
    window.workspace().open("planted.h5");
    settle();
    commands.places().settle();
  }
  /// Arguments that a command takes.
  CommandArguments sampleOf(const Command& command) {
    CommandArguments sample;
    for (const CommandArgument& argument : command.arguments) {
      switch (argument.kind) {
        case CommandArgument::Kind::whole:
          sample[argument.name] = argument.range().least;
          break;
        case CommandArgument::Kind::choice:
          sample[argument.name] = argument.choices().value(0);
          break;
        case CommandArgument::Kind::text:
          break;
      }
    }
    if (command.id == "edit.set") sample["assignment"] = "window=8";
    if (command.id == "edit.preset") sample["preset"] = "paper";
    if (command.id == "edit.policy") sample["policy"] = "qaq";
    if (command.id == "go.cell") sample["cell"] = "tok 3";
    if (command.id == "go.find") sample["text"] = "w1";
    if (command.id == "file.open") sample["path"] = "planted.h5";
    if (command.id == "compare.capture") sample["path"] = "planted.h5";
    if (command.id == "file.export.figure") sample["path"] = files.file("figure.png").c_str();
    if (command.id == "file.export.rows") sample["path"] = files.file("rows.csv").c_str();
    if (command.id == "view.page.add") sample["views"] = "bits errors";
    if (command.id.startsWith("view.layout")) sample["name"] = "mine";
    if (command.id == "select.keep") sample["name"] = "mine";
    return sample;
  }
  /// Gives every command once; the last one closes the window.
  void giveAll() {
    for (const Command* command : registry.all()) {
      if (command->id == "file.quit" || command->id == "file.open") continue;
      SCOPED_TRACE(command->id.toStdString());
      // What opens a dialog of its own waits for it.
      QTimer::singleShot(0, [] {
        if (QWidget* dialog = QApplication::activeModalWidget()) dialog->close();
      });
      const bool enabled = registry.isEnabled(command->id);
      EXPECT_EQ(registry.action(command->id)->isEnabled(), enabled);
      bool ran = true;
      try {
        registry.trigger(command->id, sampleOf(*command));
      } catch (const Error& error) {
        ran = false;
        EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
        EXPECT_FALSE(enabled) << error.what();
      }
      EXPECT_EQ(ran, enabled);
      settle();
    }
    registry.trigger("file.open", sampleOf(*registry.find("file.open")));
    settle();
    EXPECT_NE(window.workspace().capture(), nullptr);
    registry.trigger("file.quit");
    EXPECT_FALSE(window.isVisible());
  }
  SelectionModel& selection() { return window.workspace().selection(); }
  MapPane* pane() { return window.page()->view("bits")->panes().first(); }
  QWidget* focus() const { return window.focusWidget(); }
  void type(const QString& text) { QTest::keyClicks(focus(), text); }
  void press(int key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    QTest::keyClick(focus(), static_cast<Qt::Key>(key), modifiers);
  }

  MainWindow window;
  WindowCommands& commands = window.commands();
  CommandRegistry& registry = commands.registry();
};

TEST_F(WindowCommand, EveryOneMayBeGivenWithoutData) {
  EXPECT_FALSE(registry.isEnabled("go.layer.next"));
  giveAll();
}

TEST_F(WindowCommand, EveryOneMayBeGivenWithData) {
  open();
  giveAll();
}

TEST_F(WindowCommand, EveryOneHasANameAHelpTextAMenuAndAnEntryInThePalette) {
  commands.palette()->ask();
  QStringList listed;
  for (const PaletteEntry& entry : commands.palette()->entries()) listed.push_back(entry.text);
  for (const Command* command : registry.all()) {
    SCOPED_TRACE(command->id.toStdString());
    EXPECT_FALSE(command->text.isEmpty());
    EXPECT_FALSE(command->help.isEmpty());
    EXPECT_FALSE(command->help.endsWith('.')) << "a sentence without a full stop, as all";
    EXPECT_TRUE(listed.contains(command->text));
    EXPECT_TRUE(registry.action(command->id)->toolTip().startsWith(command->text));
    bool inMenu = false;
    for (const QMenu* menu : window.menuBar()->findChildren<QMenu*>()) {
      // A listed one is there by its choices, before a place that bears its name.
      inMenu |= std::ranges::any_of(menu->actions(), [&](const QAction* action) {
        return action->objectName() == command->id;
      });
    }
    EXPECT_TRUE(inMenu);
    for (const CommandArgument& argument : command->arguments) {
      EXPECT_FALSE(argument.help.isEmpty());
    }
  }
}

TEST_F(WindowCommand, NoTwoShareAShortcutOrAName) {
  QHash<QKeySequence, QString> holders;
  QSet<QString> names;
  for (const Command* command : registry.all()) {
    for (const QKeySequence& key : command->shortcuts) {
      EXPECT_FALSE(holders.contains(key))
          << key.toString().toStdString() << ": " << holders[key].toStdString() << " and "
          << command->id.toStdString();
      holders.insert(key, command->id);
    }
    for (const QString& name : {command->id, command->word}) {
      if (name.isEmpty()) continue;
      EXPECT_FALSE(names.contains(name)) << name.toStdString();
      names.insert(name);
    }
  }
  EXPECT_GT(holders.size(), 20);
}

TEST_F(WindowCommand, ThePaletteWorksByKeysAlone) {
  open();
  pane()->setFocus();
  press(Qt::Key_K, Qt::ControlModifier);
  CommandPalette* palette = commands.palette();
  ASSERT_TRUE(palette->isVisible());
  EXPECT_TRUE(palette->isAncestorOf(focus()));
  EXPECT_FALSE(focus()->accessibleName().isEmpty());
  type("layer ");  // letters that are shortcuts elsewhere
  EXPECT_EQ(palette->query(), "layer ");
  ASSERT_EQ(palette->entries().size(), 3);
  press(Qt::Key_Down);
  press(Qt::Key_Down);
  EXPECT_EQ(palette->currentRow(), 2);
  press(Qt::Key_Up);
  press(Qt::Key_Up);
  press(Qt::Key_End);
  press(Qt::Key_Return);
  EXPECT_FALSE(palette->isVisible());
  EXPECT_EQ(selection().slice().layer, 0);
  EXPECT_EQ(focus(), pane()) << "the focus is where it was";
  press(Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
  EXPECT_TRUE(palette->isVisible());
  EXPECT_EQ(palette->query(), "");
  EXPECT_EQ(palette->entries().first().text, "Go to layer…") << "it ran last";
  type("window");
  press(Qt::Key_Tab);
  EXPECT_EQ(palette->query(), "last_n_attentions = ");
  type("8");
  press(Qt::Key_Return);
  EXPECT_EQ(window.workspace().params().qaq.value.last_n_attentions, 8);
  EXPECT_EQ(window.parameters()->params().qaq.value.last_n_attentions, 8) << "the panel shows it";
  settle();
}

TEST_F(WindowCommand, EscClosesThePaletteBeforeItUnlocks) {
  open();
  selection().lock({.layer = 1, .kvHead = 1, .token = 5});
  pane()->setFocus();
  press(Qt::Key_K, Qt::ControlModifier);
  press(Qt::Key_Escape);
  EXPECT_FALSE(commands.palette()->isVisible());
  EXPECT_TRUE(selection().locked());
  settle();
  press(Qt::Key_Escape);
  EXPECT_FALSE(selection().locked());
}

TEST_F(WindowCommand, WhatNeedsArgumentsAsksInThePalette) {
  open();
  pane()->setFocus();
  press(Qt::Key_F, Qt::ControlModifier);
  EXPECT_TRUE(commands.palette()->isVisible());
  EXPECT_EQ(commands.palette()->query(), "find ");
  type("w12");
  press(Qt::Key_Return);
  ASSERT_TRUE(selection().locked());
  EXPECT_EQ(selection().locked()->token, 12);
  press(Qt::Key_G, Qt::ControlModifier);
  type("tok 3");
  press(Qt::Key_Return);
  EXPECT_EQ(selection().locked()->token, 3);
}

TEST_F(WindowCommand, WhatIsRefusedIsToldInTheStatusBar) {
  open();
  registry.tryLine("find nowhere");
  EXPECT_TRUE(window.status()->errorText().contains("no token holds")) << "and why";
}

TEST_F(WindowCommand, ADragOfASliderIsUndoneAtOnce) {
  open();
  const SharedAnalysis before = window.workspace().shown()->analysis;
  QSlider* slider = window.parameters()->field("value.target_quantization_error")->slider();
  const int start = slider->value();
  slider->setSliderDown(true);
  for (int step = start; step >= 100; step -= 20) {
    slider->setSliderPosition(step);
    QApplication::processEvents();
  }
  slider->setSliderDown(false);
  settle();
  const QString text = registry.action("edit.undo")->text();
  EXPECT_TRUE(text.startsWith("Undo target_quantization_error 1 → 0.0")) << text.toStdString();
  EXPECT_NE(window.workspace().shown()->analysis, before);
  selection().lock({.layer = 2, .kvHead = 0, .token = 9});
  settle();
  pane()->setFocus();
  press(Qt::Key_Z, Qt::ControlModifier);
  settle();
  EXPECT_EQ(slider->value(), start);
  EXPECT_EQ(window.workspace().shown()->analysis, before) << "kept, not computed again";
  EXPECT_EQ(selection().locked()->token, 9) << "the selection stays";
  EXPECT_FALSE(registry.isEnabled("edit.undo"));
  press(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
  settle();
  EXPECT_LT(slider->value(), start);
}

TEST_F(WindowCommand, BackAndForwardGoWhereOneLooked) {
  open();
  const Slice start = selection().slice();
  const QCPRange whole = pane()->xAxis->range();
  EXPECT_FALSE(registry.isEnabled("go.back"));
  selection().lock({.side = CacheSide::key, .layer = 2, .kvHead = 0, .token = 9});
  registry.refresh();
  EXPECT_TRUE(registry.isEnabled("go.back")) << "also before the place has settled";
  commands.places().settle();
  pane()->xAxis->setRange(9.5, 19.5);
  registry.triggerLine("prefix 30");
  commands.places().settle();
  settle();
  pane()->setFocus();
  press(Qt::Key_Left, Qt::AltModifier);
  EXPECT_EQ(pane()->xAxis->range(), whole);
  EXPECT_EQ(window.workspace().prefix(), 0);
  EXPECT_EQ(selection().locked()->token, 9);
  settle();
  press(Qt::Key_Left, Qt::AltModifier);
  EXPECT_FALSE(selection().locked());
  EXPECT_EQ(selection().slice(), start);
  settle();
  EXPECT_FALSE(registry.isEnabled("go.back"));
  press(Qt::Key_Right, Qt::AltModifier);
  press(Qt::Key_Right, Qt::AltModifier);
  EXPECT_EQ(pane()->xAxis->range(), QCPRange(9.5, 19.5));
  EXPECT_EQ(window.workspace().prefix(), 30);
  settle();
  EXPECT_FALSE(registry.isEnabled("go.forward"));
  open();  // another capture, another history
  EXPECT_FALSE(registry.isEnabled("go.back"));
}

TEST_F(WindowCommand, APlaceIsRememberedOnceItHasStayedForAMoment) {
  open();
  for (const int token : {1, 2, 3}) selection().lock({.layer = 1, .kvHead = 1, .token = token});
  ASSERT_TRUE(waitFor([this] {  // the timer runs off by itself
    registry.refresh();
    return registry.isEnabled("go.back");
  }));
  registry.trigger("go.back");
  EXPECT_FALSE(selection().locked()) << "passing places are none";
}

TEST_F(WindowCommand, CopiesWhatIsShown) {
  open();
  const auto copied = [&](const char* line) {
    registry.triggerLine(line);
    return QApplication::clipboard()->text();
  };
  EXPECT_EQ(copied("copy-replay"), window.replayCommand());
  EXPECT_EQ(copied("copy-figure attention"), window.figureCommand("attention"));
  EXPECT_TRUE(copied("copy-preset").contains("\"key.target_quantization_error\": 1.0"));
  registry.triggerLine("tok:7");
  EXPECT_EQ(copied("copy-cell"), "V · L1 · KVH1 · tok 7 “ w7”");
  registry.triggerLine("tok:1");
  registry.triggerLine("cell V · L1 · KVH1 · tok 7 “ w7”");
  EXPECT_EQ(selection().locked()->token, 7) << "and takes it";
}

TEST_F(WindowCommand, DocksAndThemesTellWhetherTheyAreOn) {
  open();
  EXPECT_FALSE(registry.action("view.theme.dark")->isChecked());
  registry.trigger("view.theme.dark");
  EXPECT_TRUE(registry.action("view.theme.dark")->isChecked());
  EXPECT_FALSE(registry.action("view.theme.light")->isChecked());
  QAction* action = registry.action("view.dock.parameters");
  const auto* dock = window.findChild<QDockWidget*>("parameters");
  ASSERT_NE(action, nullptr);
  EXPECT_TRUE(action->isChecked());
  action->trigger();
  EXPECT_TRUE(dock->isHidden());
  EXPECT_FALSE(action->isChecked());
  action->trigger();
  EXPECT_FALSE(dock->isHidden());
}

TEST_F(WindowCommand, LiveIsOneStateEverywhere) {
  open();
  EXPECT_TRUE(window.parameters()->isLive());
  registry.triggerLine("live");
  EXPECT_FALSE(window.parameters()->isLive());
  EXPECT_FALSE(registry.action("run.live")->isChecked());
  const SharedSlice shown = window.workspace().shown();
  registry.triggerLine("window=8");
  settle();
  EXPECT_EQ(window.workspace().shown(), shown) << "waits for Run";
  registry.triggerLine("run");
  settle();
  EXPECT_TRUE(window.workspace().isCurrent());
}

TEST_F(WindowCommand, TheCheatSheetHasEveryShortcut) {
  window.activateWindow();
  registry.trigger("help.keys");
  EXPECT_TRUE(commands.cheatSheet()->isVisible());
  qsizetype rows = 0, withKeys = 0;
  for (const CheatSheet::Group& group : commands.cheatSheet()->groups()) {
    if (group.title != "On a map") rows += group.rows.size();
  }
  for (const Command* command : registry.all()) {
    withKeys += registry.shortcuts(command->id).isEmpty() ? 0 : 1;
  }
  EXPECT_EQ(rows, withKeys);
  press(Qt::Key_Escape);
  EXPECT_FALSE(commands.cheatSheet()->isVisible());
}

TEST_F(WindowCommand, AShortcutIsTakenOverOnlyWhenAskedFor) {
  const qaq::test::TemporaryFolder folder;
  const QString path = QString::fromStdString(folder.file("shortcuts.json"));
  commands.useShortcuts(path);
  registry.trigger("help.shortcuts");
  ShortcutEditor* editor = commands.shortcutEditor();
  editor->choose("go.layer.next");
  EXPECT_FALSE(editor->assignButton()->isEnabled());
  editor->editor()->setKeySequence(QKeySequence("J"));
  EXPECT_EQ(editor->message(), "");
  EXPECT_EQ(editor->assignButton()->text(), "Assign");
  editor->assignButton()->click();
  EXPECT_EQ(registry.shortcuts("go.layer.next"), QList<QKeySequence>{QKeySequence("J")});
  editor->choose("go.layer.previous");
  editor->editor()->setKeySequence(QKeySequence("K"));
  EXPECT_TRUE(editor->message().contains("“Keys”")) << editor->message().toStdString();
  EXPECT_EQ(editor->assignButton()->text(), "Take over");
  EXPECT_EQ(registry.shortcuts("go.key"), QList<QKeySequence>{QKeySequence("K")}) << "not yet";
  editor->assignButton()->click();
  EXPECT_TRUE(registry.shortcuts("go.key").isEmpty());
  // The next window has them, too.
  MainWindow next([](const std::string&, const Work&) { return plantedCapture(); });
  next.commands().useShortcuts(path);
  const CommandRegistry& known = next.commands().registry();
  EXPECT_EQ(known.shortcuts("go.layer.next"), QList<QKeySequence>{QKeySequence("J")});
  EXPECT_EQ(known.shortcuts("go.layer.previous"), QList<QKeySequence>{QKeySequence("K")});
  EXPECT_TRUE(known.shortcuts("go.key").isEmpty());
}

TEST_F(WindowCommand, HelpIsOfWhatHasTheFocus) {
  open();
  pane()->setFocus();
  press(Qt::Key_F1);
  EXPECT_TRUE(commands.help()->isVisible());
  EXPECT_EQ(commands.help()->accessibleName(), "Bit maps");
  press(Qt::Key_Escape);
  EXPECT_EQ(focus(), pane());
  EXPECT_EQ(ViewHelp::partOf(window.parameters()->field("gqa_reduce")), "parameters");
}

TEST_F(WindowCommand, EveryViewAndDockHasAHelpText) {
  const QString general = ViewHelp::of({}).title;
  QStringList parts = viewIds();
  for (const QDockWidget* dock : window.findChildren<QDockWidget*>()) {
    parts.push_back(dock->objectName());
  }
  EXPECT_GE(parts.size(), 5);
  for (const QString& part : parts) {
    EXPECT_NE(ViewHelp::of(part).title, general)
        << part.toStdString() << " has no text in view_help.cpp";
  }
}

}  // namespace
}  // namespace qaq::views
