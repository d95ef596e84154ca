// Commands without a window: the registry, lines of text, undo, what the palette finds, stored
// shortcuts.
#include <QAction>
#include <QFile>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/views/views_fixture.h"
#include "views/commands/coordinate_reader.h"
#include "views/commands/fuzzy_match.h"
#include "views/commands/parameter_commands.h"
#include "views/commands/parameter_names.h"
#include "views/commands/selection_commands.h"
#include "views/commands/shortcut_store.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

/// The line with which act() is refused as wrong usage; "taken" where it is not.
template <class Act>
std::string refusal(Act act) {
  try {
    act();
    return "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    return error.what();
  }
}

class Registry : public testing::Test {
 protected:
  Registry() {
    registry.add({.id = "a.count",
                  .word = "count",
                  .text = "Count…",
                  .shortcuts = {QKeySequence("C")},
                  .arguments = {{.name = "n",
                                 .kind = CommandArgument::Kind::whole,
                                 .range =
                                     [] {
                                       return CommandArgument::Range{1, 9};
                                     }},
                                {.name = "unit",
                                 .kind = CommandArgument::Kind::choice,
                                 .choices =
                                     [] {
                                       return QStringList{"apple", "pear"};
                                     },
                                 .optional = true}},
                  .run = [this](const CommandArguments& arguments) {
                    counted = arguments["n"].toInt();
                    unit = arguments["unit"].toString();
                  }});
    registry.add({.id = "a.say",
                  .word = "say",
                  .text = "Say…",
                  .arguments = {{.name = "text"}},
                  .run = [this](const CommandArguments& a) { said = a["text"].toString(); }});
    registry.add({.id = "a.wait",
                  .text = "Wait",
                  .shortcuts = {QKeySequence("W")},
                  .blocked = [this] { return ready ? QString() : QString("not ready; wait"); },
                  .checked = [this] { return waited; },
                  .run = [this](const CommandArguments&) { waited = !waited; }});
  }

  CommandRegistry registry;
  int counted = 0;
  QString unit, said;
  bool ready = false, waited = false;
};

TEST_F(Registry, RunsLinesWithArgumentsInOrderOrByName) {
  registry.triggerLine("count 3");
  EXPECT_EQ(counted, 3);
  EXPECT_EQ(unit, "");
  registry.triggerLine("a.count 4 PEAR");
  EXPECT_EQ(counted, 4);
  EXPECT_EQ(unit, "pear");
  registry.triggerLine("  count unit=apple n=5 ");
  EXPECT_EQ(counted, 5);
  EXPECT_EQ(unit, "apple");
  registry.triggerLine("say one  two = three");
  EXPECT_EQ(said, "one  two = three") << "text needs no quotes";
  registry.triggerLine("say \"quoted words\"");
  EXPECT_EQ(said, "quoted words");
  EXPECT_EQ(registry.recent(), (QStringList{"a.say", "a.count"}));
}

TEST_F(Registry, RefusesWrongLinesInOneLineThatHelps) {
  const auto line = [this](const char* text) {
    return refusal([&] { registry.triggerLine(text); });
  };
  EXPECT_EQ(line("cuont 3"), "cuont: no such command; did you mean count?");
  EXPECT_EQ(line("something"), "something: no such command; see qaq-scope --list-commands");
  EXPECT_EQ(line("  "), "the command is empty; see qaq-scope --list-commands");
  EXPECT_EQ(line("count"), "a.count: n is missing; give count N [UNIT]");
  EXPECT_EQ(line("count x"), "a.count: 'x' is no n; give a number from 1 to 9");
  EXPECT_EQ(line("count 10"), "a.count: there is no n 10; give a number from 1 to 9");
  EXPECT_EQ(line("count 1 plum"), "a.count: there is no unit plum; choose one of apple, pear");
  EXPECT_EQ(line("count 1 pear 2"), "a.count: '2' is one argument too many; give count N [UNIT]");
  EXPECT_EQ(line("a.wait"), "a.wait: not ready; wait");
  EXPECT_EQ(counted, 0);
  EXPECT_TRUE(registry.recent().isEmpty()) << "nothing ran";
}

TEST_F(Registry, OneActionTellsWhetherItsCommandCanRunAndIsOn) {
  QAction* action = registry.action("a.wait");
  EXPECT_FALSE(action->isEnabled());
  EXPECT_TRUE(action->toolTip().contains("not ready"));
  int changes = 0;
  QObject::connect(&registry, &CommandRegistry::changed, [&](const QString& id) {
    EXPECT_EQ(id, "a.wait");
    ++changes;
  });
  registry.refresh();
  EXPECT_EQ(changes, 0);
  ready = true;
  registry.refresh();
  EXPECT_EQ(changes, 1);
  EXPECT_TRUE(action->isEnabled());
  action->trigger();
  EXPECT_TRUE(waited);
  EXPECT_TRUE(action->isChecked());
  registry.trigger("a.wait");
  EXPECT_FALSE(action->isChecked()) << "also when it runs by its id";
}

TEST_F(Registry, AnActionWithoutItsArgumentsAsksForThem) {
  QString wanted;
  QObject::connect(&registry, &CommandRegistry::argumentsWanted,
                   [&](const QString& id) { wanted = id; });
  registry.action("a.count")->trigger();
  EXPECT_EQ(wanted, "a.count");
  EXPECT_EQ(counted, 0);
}

TEST_F(Registry, KnowsWhoHasAShortcut) {
  EXPECT_EQ(registry.holderOf(QKeySequence("C"))->id, "a.count");
  EXPECT_EQ(registry.holderOf(QKeySequence("X")), nullptr);
  EXPECT_EQ(registry.holderOf(QKeySequence("C, D"))->id, "a.count") << "C would come first";
  registry.setShortcuts("a.count", {QKeySequence("X")});
  EXPECT_EQ(registry.holderOf(QKeySequence("C")), nullptr);
  EXPECT_EQ(registry.action("a.count")->shortcut(), QKeySequence("X"));
  EXPECT_FALSE(registry.hasShippedShortcuts("a.count"));
}

TEST_F(Registry, ChosenShortcutsAreStoredAndFoundAgain) {
  const qaq::test::TemporaryFolder folder;
  const QString path = QString::fromStdString(folder.file("config/shortcuts.json"));
  ShortcutStore store(path);
  store.load(registry);  // no file: nothing
  EXPECT_TRUE(registry.hasShippedShortcuts("a.count"));
  // The two change places.
  registry.setShortcuts("a.count", {QKeySequence("W"), QKeySequence("Ctrl+]")});
  registry.setShortcuts("a.wait", {QKeySequence("C")});
  store.save(registry);
  registry.setShortcuts("a.count", {});
  registry.setShortcuts("a.wait", {});
  ShortcutStore(path).load(registry);
  EXPECT_EQ(registry.shortcuts("a.count"),
            (QList<QKeySequence>{QKeySequence("W"), QKeySequence("Ctrl+]")}));
  EXPECT_EQ(registry.shortcuts("a.wait"), QList<QKeySequence>{QKeySequence("C")});
}

void write(const QString& path, const char* text) {
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write(text);
}

TEST_F(Registry, ABrokenFileOfShortcutsIsRefusedAndNotWrittenOver) {
  const qaq::test::TemporaryFolder folder;
  const QString path = QString::fromStdString(folder.file("s.json"));
  const auto load = [&](const char* text) -> std::string {
    write(path, text);
    try {
      ShortcutStore(path).load(registry);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_EQ(error.text().file, path.toStdString());
      return error.text().place + ": " + error.text().what;
    }
    return "taken";
  };
  EXPECT_TRUE(load("{\"format\": ").starts_with("byte 11: is not valid JSON"));
  EXPECT_EQ(load("{}"), "format: is not qaq-shortcuts");
  EXPECT_EQ(load(R"({"format": "qaq-shortcuts", "version": 2})"), "version: is another than 1");
  EXPECT_EQ(load(R"({"format": "qaq-shortcuts", "version": 1, "shortcuts": {"a.say": ["W"]}})"),
            "shortcuts/a.wait: 'W' belongs to a.say");
  EXPECT_EQ(load(R"({"format": "qaq-shortcuts", "version": 1, "shortcuts": {"a.say": "Q"}})"),
            "shortcuts/a.say: is no list");
  EXPECT_EQ(load(R"({"format": "qaq-shortcuts", "version": 1, "shortcuts": {"a.say": ["Qx"]}})"),
            "shortcuts/a.say: 'Qx' is no shortcut");
  EXPECT_TRUE(registry.hasShippedShortcuts("a.say")) << "nothing was changed";
  write(path, "mine");
  registry.setShortcuts("a.say", {QKeySequence("Q")});
  EXPECT_THROW(ShortcutStore(path).save(registry), Error);
  EXPECT_EQ(qaq::test::bytes_of_file(path.toStdString()), "mine");
}

TEST_F(Registry, CommandsOfAnotherVersionStayInTheFile) {
  const qaq::test::TemporaryFolder folder;
  const QString path = QString::fromStdString(folder.file("s.json"));
  write(path, R"({"format": "qaq-shortcuts", "version": 1, "shortcuts": {"z.new": ["Z"]}})");
  ShortcutStore store(path);
  store.load(registry);
  store.save(registry);
  EXPECT_NE(qaq::test::bytes_of_file(path.toStdString()).find("z.new"), std::string::npos);
}

TEST(FuzzyScore, TakesAbbreviationsAndRefusesStrewnLetters) {
  EXPECT_TRUE(fuzzyScore("gtl", "Go to layer"));
  EXPECT_TRUE(fuzzyScore("lay nex", "Next layer")) << "words in any order";
  EXPECT_TRUE(fuzzyScore("LAYER", "Next layer"));
  EXPECT_TRUE(fuzzyScore("tqe", "target_quantization_error"));
  EXPECT_FALSE(fuzzyScore("xyz", "Next layer"));
  EXPECT_FALSE(fuzzyScore("layers", "Next layer")) << "a letter too many";
  EXPECT_FALSE(fuzzyScore("etae", "Next layer")) << "its letters, but strewn about";
  EXPECT_EQ(fuzzyScore("", "anything"), 0);
  EXPECT_FALSE(fuzzyScore("a", ""));
}

TEST(FuzzyScore, PrefersBeginningsRowsAndWholeWords) {
  EXPECT_GT(*fuzzyScore("la", "Next layer"), fuzzyScore("la", "Replay").value_or(0));
  EXPECT_GT(*fuzzyScore("run", "Run"), *fuzzyScore("run", "Runner"));
  EXPECT_GT(*fuzzyScore("lay", "layer"), *fuzzyScore("lay", "log a year"));
  // The best of several ways counts: the second "to" begins a word.
  EXPECT_EQ(*fuzzyScore("to", "auto to"), *fuzzyScore("to", "go to"));
}

TEST(ReadCoordinate, TakesWhatTheCommandLineTakesAndWhatTheWindowWrites) {
  const CaptureInfo info = plantedInfo();
  const Cursor start{.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 7, .step = 30};
  const auto read = [&](const char* text) { return readCoordinate(text, info, start); };
  // Layer 3 of the model is the third that was captured.
  const Cursor cell{.side = CacheSide::key, .layer = 2, .kvHead = 0, .token = 12};
  EXPECT_EQ(read("key,3,0,12"), cell);
  EXPECT_EQ(read("K · L3 · KVH0 · tok 12 “ w12”"), cell);
  EXPECT_EQ(read("tok12 h0 l3 k"), cell);
  EXPECT_EQ(read("layer 3, head 0, token 12, key"), cell);
  Cursor step = cell;
  step.step = 20;
  EXPECT_EQ(read("key,3,0,12,20"), step);
  EXPECT_EQ(read("K L3 H0 tok 12 step 20"), step);
  EXPECT_EQ(read("tok 9"), (Cursor{.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 9}))
      << "the rest stays, but for the step";
}

TEST(ReadCoordinate, RefusesWhatTheCaptureDoesNotHave) {
  const CaptureInfo info = plantedInfo();
  const auto line = [&](const char* text) {
    return refusal([&] { readCoordinate(text, info, {}); });
  };
  EXPECT_EQ(line("L2"), "cell: layer 2 was not captured; choose one of 0-1, 3");
  EXPECT_EQ(line("H2"), "cell: there is no KV head 2; give one from 0 to 1");
  EXPECT_EQ(line("tok 40"), "cell: there is no token 40; give one from 0 to 39");
  EXPECT_EQ(line("tok 4 step 40"), "cell: there is no step 40; give one from 0 to 39");
  EXPECT_EQ(line("channel 16"), "cell: there is no channel 16; give one from 0 to 15");
  EXPECT_EQ(line("K L1 somewhere"),
            "cell: 'somewhere' is no part of a cell; give key or value, layer, head, token, as in "
            "V L14 H1 tok 56");
  EXPECT_EQ(line("tok 99999999999"),
            "cell: there is no tok 99999999999; give one that the capture has");
}

TEST(ParameterLine, KnowsNamesWordsAndValues) {
  const auto all = list_parameters(ScopeParams{});
  const auto read = [&](const char* text) -> QString {
    const auto line = readParameterLine(text, all);
    return line ? line->name + "|" + line->value : "none";
  };
  EXPECT_EQ(read("window = 8"), "last_n_attentions|8");
  EXPECT_EQ(read("window 8"), "last_n_attentions|8");
  EXPECT_EQ(read("Target Error=0.03"), "target_quantization_error|0.03");
  EXPECT_EQ(read("target_quantization_error 0.03"), "target_quantization_error|0.03");
  EXPECT_EQ(read("key.window=8"), "key.last_n_attentions|8");
  EXPECT_EQ(read("value.level = token"), "value.level|token");
  EXPECT_EQ(read("level"), "level|");
  EXPECT_EQ(read("gqa_reduce=sum"), "gqa_reduce|sum");
  EXPECT_EQ(read("query norm = auto"), "q_norm|auto");
  EXPECT_EQ(read("value.query norm = 3"), "none") << "of keys only";
  EXPECT_EQ(read("windw = 8"), "none");
  EXPECT_EQ(read("= 8"), "none");
  EXPECT_EQ(read(""), "none");
}

TEST(ParameterLine, EveryWordMeansAParameter) {
  const auto all = list_parameters(ScopeParams{});
  int words = 0;
  for (const Parameter& parameter : all) {
    const QString name = QString::fromStdString(std::string(parameter.info.name));
    for (const QString& word : wordsFor(name)) {
      ++words;
      EXPECT_EQ(readParameterLine(word, all)->name, name) << word.toStdString();
    }
  }
  EXPECT_GT(words, 10);
}

/// Parameters that change by hand, on an open capture.
class Edits : public testing::Test {
 protected:
  Edits() : workspace([](const std::string&, const Work&) { return plantedCapture(); }) {
    QObject::connect(&edits, &ParameterEdits::applied,
                     [this](const ScopeParams& params) { applied.push_back(params); });
  }
  static ScopeParams with(const char* name, double value, ScopeParams params = {}) {
    set_parameter(params, name, value);
    return params;
  }
  double target() const { return workspace.params().qaq.value.target_quantization_error; }

  Workspace workspace;
  ParameterEdits edits{&workspace};
  std::vector<ScopeParams> applied;
};

TEST_F(Edits, UndoAndRedoAreLabelledByWhatTheyChange) {
  edits.editedByHand(with("target_quantization_error", 0.03), true);
  EXPECT_EQ(edits.stack().undoText(), "target_quantization_error 1 → 0.03");
  EXPECT_TRUE(applied.empty()) << "the editor shows it already";
  edits.editedByHand(with("key.q_norm", 100, workspace.params()), true);
  EXPECT_EQ(edits.stack().undoText(), "key.q_norm 300 → 100");
  edits.change(ScopeParams{}, "reset all");
  EXPECT_EQ(edits.stack().undoText(), "reset all");
  EXPECT_EQ(applied.size(), 1u);
  edits.stack().undo();
  edits.stack().undo();
  EXPECT_EQ(target(), 0.03);
  EXPECT_EQ(applied.size(), 3u);
  edits.stack().undo();
  EXPECT_EQ(target(), 1);
  EXPECT_FALSE(edits.stack().canUndo());
  edits.stack().redo();
  EXPECT_EQ(target(), 0.03);
  EXPECT_EQ(edits.stack().redoText(), "key.q_norm 300 → 100");
}

TEST_F(Edits, ADragIsOneStep) {
  for (const double value : {2.0, 3.0, 4.0}) {
    edits.editedByHand(with("target_quantization_error", value), false);
  }
  edits.editedByHand(with("target_quantization_error", 4), true);
  EXPECT_EQ(edits.stack().count(), 1);
  EXPECT_EQ(edits.stack().undoText(), "target_quantization_error 1 → 4");
  edits.editedByHand(with("target_quantization_error", 5), false);
  edits.editedByHand(with("target_quantization_error", 6), true);
  EXPECT_EQ(edits.stack().count(), 2) << "the next drag is the next step";
  edits.stack().undo();
  EXPECT_EQ(target(), 4);
  edits.stack().undo();
  EXPECT_EQ(target(), 1);
}

TEST_F(Edits, ADragThereAndBackLeavesNothing) {
  edits.editedByHand(with("target_quantization_error", 2), false);
  edits.editedByHand(with("target_quantization_error", 1), false);
  EXPECT_FALSE(edits.stack().canUndo());
  edits.editedByHand(with("target_quantization_error", 3), false);
  edits.editedByHand(with("target_quantization_error", 1), true);
  EXPECT_FALSE(edits.stack().canUndo());
  EXPECT_EQ(target(), 1);
}

TEST_F(Edits, ADragOfAnotherParameterIsAnotherStep) {
  edits.editedByHand(with("target_quantization_error", 2), false);
  edits.editedByHand(with("violation_ratio", 9, workspace.params()), false);
  EXPECT_EQ(edits.stack().count(), 2);
}

TEST_F(Edits, TheSameAgainIsNoStep) {
  edits.change(workspace.params());
  edits.editedByHand(workspace.params(), true);
  EXPECT_EQ(edits.stack().count(), 0);
}

TEST_F(Edits, UndoNeverMovesTheSelection) {
  workspace.open("any");
  ASSERT_TRUE(waitFor([this] { return workspace.shown() && !workspace.isBusy(); }));
  edits.editedByHand(with("target_quantization_error", 2), true);
  workspace.selection().lock({.layer = 2, .kvHead = 0, .token = 11});
  workspace.setPrefix(30);
  const auto locked = workspace.selection().locked();
  edits.stack().undo();
  EXPECT_EQ(workspace.selection().locked(), locked);
  EXPECT_EQ(workspace.prefix(), 30);
  ASSERT_TRUE(waitFor([this] { return !workspace.isBusy(); }));
}

TEST_F(Edits, UndoShowsTheResultThatWasMadeBefore) {
  workspace.open("any");
  ASSERT_TRUE(waitFor([this] { return workspace.shown() && !workspace.isBusy(); }));
  const SharedAnalysis before = workspace.shown()->analysis;
  edits.editedByHand(with("target_quantization_error", 0.1), true);
  ASSERT_TRUE(waitFor([this] { return !workspace.isBusy(); }));
  EXPECT_NE(workspace.shown()->analysis, before);
  edits.stack().undo();
  ASSERT_TRUE(waitFor([this] { return !workspace.isBusy(); }));
  EXPECT_EQ(workspace.shown()->analysis, before) << "the same object: nothing was computed";
}

/// What the palette finds, and what lines mean, with a workspace.
class Commands : public Edits {
 protected:
  Commands() {
    SelectionCommands::add(registry, workspace);
    ParameterCommands::addEdits(registry, edits, workspace);
    ParameterCommands::addPresets(
        registry, edits, workspace,
        {.names = {"paper"}, .apply = [](const std::string& name, ScopeParams& params) {
           if (name != "paper") refuse_input({.file = name, .what = "is no preset"});
           set_parameter(params, "n_bits_max", std::int64_t{4});
         }});
    ParameterCommands::addRuns(registry, workspace);
    search.addSource(ParameterCommands::parameters(workspace));
    search.addSource(SelectionCommands::tokens(workspace));
  }
  void open() {
    workspace.open("any");
    ASSERT_TRUE(waitFor([this] { return workspace.shown() && !workspace.isBusy(); }));
    registry.refresh();
  }
  QStringList texts(const QString& query) const {
    QStringList texts;
    for (const PaletteEntry& entry : search.find(query)) texts.push_back(entry.text);
    return texts;
  }
  QString first(const QString& query) const { return texts(query).value(0); }
  SelectionModel& selection() { return workspace.selection(); }

  CommandRegistry registry;
  PaletteSearch search{&registry};
};

TEST_F(Commands, MoveTheSelectionByLine) {
  open();
  registry.triggerLine("layer 3");
  EXPECT_EQ(selection().slice().layer, 2) << "the third that was captured";
  registry.triggerLine("head 0");
  EXPECT_EQ(selection().slice().kvHead, 0);
  registry.triggerLine("query 3");
  EXPECT_EQ(selection().slice().kvHead, 1) << "that which query head 3 reads";
  EXPECT_EQ(selection().slice().queryHead, 3);
  registry.trigger("go.query.previous");
  EXPECT_EQ(selection().slice().queryHead, 2);
  registry.trigger("go.query.previous");
  EXPECT_EQ(selection().slice().queryHead, Slice::kGroup);
  registry.trigger("go.query.previous");
  EXPECT_EQ(selection().slice().queryHead, Slice::kGroup);
  registry.trigger("go.query.next");
  EXPECT_EQ(selection().slice().queryHead, 2);
  registry.triggerLine("query group");
  EXPECT_EQ(selection().slice().queryHead, Slice::kGroup);
  registry.triggerLine("cache key");
  EXPECT_EQ(selection().slice().side, CacheSide::key);
  registry.triggerLine("cell V L1 H1 tok 7 step 30");
  EXPECT_EQ(selection().locked(),
            (Cursor{.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 7, .step = 30}));
  registry.triggerLine("unlock");
  EXPECT_FALSE(selection().locked());
  EXPECT_EQ(refusal([this] { registry.triggerLine("layer 2"); }),
            "go.layer: there is no layer 2; choose one of 0, 1, 3");
}

TEST_F(Commands, FindTokensAndGoRound) {
  open();
  registry.triggerLine("tok:7");
  EXPECT_EQ(selection().locked()->token, 7);
  // " w3", " w30" ... " w39" begin with it.
  registry.triggerLine("find w3");
  EXPECT_EQ(selection().locked()->token, 30);
  registry.trigger("go.find.next");
  EXPECT_EQ(selection().locked()->token, 31);
  registry.trigger("go.find.previous");
  registry.trigger("go.find.previous");
  EXPECT_EQ(selection().locked()->token, 3);
  registry.trigger("go.find.previous");
  EXPECT_EQ(selection().locked()->token, 39) << "round the end";
  registry.trigger("go.find.next");
  EXPECT_EQ(selection().locked()->token, 3);
  registry.triggerLine("tok:w12");
  EXPECT_EQ(selection().locked()->token, 12);
  EXPECT_EQ(refusal([this] { registry.triggerLine("find w40"); }),
            "go.find: no token holds “w40”; look for a part of it");
  EXPECT_EQ(refusal([this] { registry.triggerLine("tok:40"); }),
            "go.token: there is no token 40; give a number from 0 to 39");
}

TEST_F(Commands, StepThePrefix) {
  open();
  registry.trigger("go.prefix.previous");
  EXPECT_EQ(workspace.prefix(), 39) << "of all 40";
  registry.trigger("go.prefix.next");
  registry.trigger("go.prefix.next");
  EXPECT_EQ(workspace.prefix(), 40);
  registry.triggerLine("prefix 1");
  registry.trigger("go.prefix.previous");
  EXPECT_EQ(workspace.prefix(), 1) << "0 would mean all";
}

TEST_F(Commands, SetResetAndUndoParameters) {
  registry.triggerLine("set window = 8");
  EXPECT_EQ(workspace.params().qaq.key.last_n_attentions, 8);
  EXPECT_EQ(workspace.params().qaq.value.last_n_attentions, 8);
  registry.triggerLine("target error = 0.03");
  EXPECT_EQ(target(), 0.03);
  EXPECT_EQ(registry.action("edit.undo")->text(), "Undo target_quantization_error 1 → 0.03");
  registry.triggerLine("key.level=token");
  EXPECT_EQ(workspace.params().qaq.key.level, Level::token);
  EXPECT_EQ(workspace.params().qaq.value.level, Level::head);
  registry.triggerLine("reset level");
  EXPECT_EQ(workspace.params().qaq.key.level, Level::head);
  EXPECT_EQ(edits.stack().undoText(), "reset level");
  registry.triggerLine("preset paper");
  EXPECT_EQ(workspace.params().qaq.value.n_bits_max, 4);
  EXPECT_EQ(edits.stack().undoText(), "preset paper");
  registry.triggerLine("reset-all");
  EXPECT_TRUE(same_parameters(workspace.params(), ScopeParams{}));
  for (int i = 0; i < 6; ++i) registry.trigger("edit.undo");
  EXPECT_TRUE(same_parameters(workspace.params(), ScopeParams{}));
  EXPECT_EQ(refusal([this] { registry.trigger("edit.undo"); }), "edit.undo: nothing to undo");
  registry.trigger("edit.redo");
  EXPECT_EQ(workspace.params().qaq.value.last_n_attentions, 8);
}

TEST_F(Commands, RefuseWrongParametersWithTheNearest) {
  const auto line = [this](const char* text) {
    return refusal([&] { registry.triggerLine(text); });
  };
  EXPECT_EQ(line("widow=8"), "widow: no such parameter; did you mean window?");
  EXPECT_EQ(line("set levle=head"), "levle: no such parameter; did you mean level?");
  EXPECT_EQ(line("window=0"),
            "key.last_n_attentions: 0 is out of range; give a number from 1 to 1e+06");
  EXPECT_EQ(line("level=heads"),
            "key.level: 'heads' is no choice; choose one of "
            "no-quantization, token, layer, head");
  EXPECT_EQ(line("set window"),
            "last_n_attentions: the value is missing; give one, as in last_n_attentions=5");
  EXPECT_EQ(edits.stack().count(), 0);
}

TEST_F(Commands, ThePaletteFindsByAbbreviationWordAndKeyword) {
  open();
  EXPECT_EQ(first("layer"), "Go to layer…");
  EXPECT_EQ(first("nl"), "Next layer");
  EXPECT_EQ(first("find"), "Find token…");
  EXPECT_EQ(first("search"), "Find token…") << "a keyword";
  EXPECT_EQ(first("go.head.next"), "Next KV head");
  EXPECT_TRUE(texts("qqqq").isEmpty());
  EXPECT_EQ(texts("").size(), registry.all().size()) << "nothing typed: all of them";
}

TEST_F(Commands, WhatRanLatelyComesFirst) {
  open();
  EXPECT_EQ(first("next"), "Next layer");
  registry.trigger("go.head.next");
  EXPECT_EQ(first("next"), "Next KV head");
  EXPECT_EQ(first(""), "Next KV head");
}

TEST_F(Commands, WhatCannotRunComesLastWithTheReason) {
  const QList<PaletteEntry> found = search.find("layer");
  ASSERT_FALSE(found.isEmpty());
  EXPECT_FALSE(found.first().enabled);
  EXPECT_EQ(found.first().detail, "no capture is open; open one first");
  const QList<PaletteEntry> all = search.find("");
  EXPECT_TRUE(all.first().enabled);
  EXPECT_FALSE(all.last().enabled);
}

TEST_F(Commands, ThePaletteOffersArguments) {
  open();
  EXPECT_EQ(texts("layer "), (QStringList{"Go to layer: 0", "Go to layer: 1", "Go to layer: 3"}));
  const QList<PaletteEntry> three = search.find("layer 3");
  ASSERT_EQ(three.size(), 1);
  EXPECT_EQ(three.first().invocation->id, "go.layer");
  EXPECT_EQ(three.first().invocation->arguments["layer"], "3");
  const QList<PaletteEntry> wrong = search.find("layer 2");
  ASSERT_EQ(wrong.size(), 1);
  EXPECT_FALSE(wrong.first().enabled);
  EXPECT_EQ(wrong.first().detail, "go.layer: there is no layer 2; choose one of 0, 1, 3");
  EXPECT_EQ(texts("cache v"), QStringList{"Go to cache: value"});
  EXPECT_EQ(texts("preset "), QStringList{"Apply preset: paper"});
  EXPECT_EQ(texts("preset my.json"), QStringList{"Apply preset: my.json"});
}

TEST_F(Commands, ThePaletteFindsParametersWithTheirValues) {
  const QList<PaletteEntry> window = search.find("window = 8");
  ASSERT_EQ(window.size(), 1);
  EXPECT_EQ(window.first().text, "last_n_attentions = 8");
  EXPECT_TRUE(window.first().detail.startsWith("now 5 · "));
  registry.tryTrigger(*window.first().invocation);
  EXPECT_EQ(workspace.params().qaq.value.last_n_attentions, 8);
  EXPECT_EQ(first("target_quantization_error 0.03"), "target_quantization_error = 0.03");
  EXPECT_EQ(texts("level"), (QStringList{"level = no-quantization", "level = token",
                                         "level = layer", "level = head"}));
  EXPECT_EQ(texts("level t"), QStringList{"level = token"});
  const QList<PaletteEntry> wrong = search.find("window = 0");
  EXPECT_FALSE(wrong.first().enabled);
  EXPECT_TRUE(wrong.first().detail.contains("out of range"));
  const QList<PaletteEntry> named = search.find("tqe");
  ASSERT_FALSE(named.isEmpty());
  EXPECT_EQ(named.first().text, "target_quantization_error = 1");
  EXPECT_FALSE(named.first().invocation) << "a value is to be typed yet";
  EXPECT_EQ(named.first().completion, "target_quantization_error = ");
}

TEST_F(Commands, ThePaletteFindsTokens) {
  open();
  const QList<PaletteEntry> seven = search.find("tok:7");
  ASSERT_EQ(seven.size(), 1);
  EXPECT_EQ(seven.first().text, "Token 7 “ w7”");
  EXPECT_EQ(seven.first().detail, "… w1 w2 w3 w4 w5 w6[ w7] w8 w9 w10 w11 w12 w13…");
  registry.tryTrigger(*seven.first().invocation);
  EXPECT_EQ(selection().locked()->token, 7);
  EXPECT_EQ(texts("tok:w3").size(), 11) << "3 and 30 to 39";
  EXPECT_EQ(first("w12"), "Token 12 “ w12”") << "a part of the text alone";
  EXPECT_TRUE(texts("tok:w99").isEmpty());
}

}  // namespace
}  // namespace qaq::views
