// A and B: the reference in the workspace, the views of both, the window's commands and session.
#include <QTableWidget>
#include <QTreeWidget>
#include <QUndoStack>
#include <gtest/gtest.h>

#include "tests/views/session_fakes.h"
#include "views/commands/command_registry.h"
#include "views/models/compared_maps.h"
#include "views/plots/bit_map_view.h"
#include "views/plots/compare_view.h"
#include "views/plots/delta_view.h"
#include "views/plots/overlay_view.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/status_line.h"
#include "views/shell/window_commands.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using Role = ComparePane::Role;

ScopeParams paramsOf(double target) {
  ScopeParams params;
  params.qaq.key.target_quantization_error = params.qaq.value.target_quantization_error = target;
  return params;
}

/// The planted text with another word in its prompt.
SharedCapture otherPrompt() {
  const auto planted = std::static_pointer_cast<const MemoryCapture>(plantedCapture());
  CaptureInfo info = planted->info();
  info.token_ids[2] += 1;
  info.token_text[2] = " else";
  const qaq::test::SyntheticShape shape{.n_layers = 3,
                                        .n_heads = Planted::kHeads,
                                        .n_kv_heads = Planted::kKvHeads,
                                        .n_tokens = Planted::kTokens,
                                        .head_dim = Planted::kHeadDim};
  return std::make_shared<MemoryCapture>(info, qaq::test::synthetic_arrays(shape, 7));
}

struct Cell {
  std::int64_t row = 0, column = 0;
};

/// The first cell of a map that has this value.
Cell cellWith(const Heatmap& map, float value) {
  for (std::int64_t row = 0; row < map.rows(); ++row) {
    for (std::int64_t column = 0; column < map.columns(); ++column) {
      if (map.at(row, column) == value) return {row, column};
    }
  }
  ADD_FAILURE() << "no cell has " << value;
  return {};
}

class Compared : public testing::Test {
 protected:
  Compared() : slice(comparedSlice()) { selection.reset(plantedInfo(), slice->slice); }

  SharedSlice slice;
  SelectionModel selection;
};

TEST_F(Compared, TheNumbersAreThoseOfTheCommand) {
  const Against& against = *slice->against;
  const Comparison direct =
      compare(comparedRun(against.analysis, "A"), comparedRun(slice->analysis, "B"));
  ASSERT_EQ(against.comparison->metrics.size(), direct.metrics.size());
  for (std::size_t i = 0; i < direct.metrics.size(); ++i) {
    EXPECT_EQ(against.comparison->metrics[i].a, direct.metrics[i].a);
    EXPECT_EQ(against.comparison->metrics[i].b, direct.metrics[i].b);
  }
}

TEST_F(Compared, AnotherSliceOfTheSameTwoKeepsTheComparison) {
  const auto next = loadSlice(slice->analysis, {.layer = 0, .kvHead = 0}, slice,
                              {slice->against->label, slice->against->analysis});
  EXPECT_EQ(next->against->comparison, slice->against->comparison);
  EXPECT_NE(next->against->slice->magnitude, slice->against->slice->magnitude);
  EXPECT_EQ(compared(next), nullptr) << "nothing is left to do";
}

TEST_F(Compared, CellsOfTheDifferenceHaveItsColours) {
  for (const ThemeKind theme : {ThemeKind::light, ThemeKind::dark}) {
    CompareView view(&selection);
    const ShownView shown(view, slice, {1300, 500}, theme);
    const auto maps = loadComparedMaps(slice, CompareOf::bits);
    ASSERT_GT(maps->counts.higher, 0);
    ASSERT_GT(maps->counts.equal, 0);
    const auto colors =
        ColorMap::diverging(Palette::of(theme).diverging(), 0, maps->counts.largest);
    ComparePane* pane = view.pane(Role::difference);
    const auto most = static_cast<float>(maps->counts.largest);
    for (const float value : {most, 0.0f}) {
      const Cell cell = cellWith(*maps->difference, value);
      EXPECT_EQ(shown.cell(pane, cell.row, cell.column), colors(value)) << value;
      EXPECT_EQ(maps->b->at(cell.row, cell.column) - maps->a->at(cell.row, cell.column), value);
    }
    EXPECT_NE(colors(most), colors(0.0f));
  }
}

TEST_F(Compared, AAndBHaveOneRange) {
  CompareView view(&selection);
  ShownView shown(view, slice, {1300, 500});
  for (const CompareOf of : {CompareOf::magnitude, CompareOf::attention}) {
    view.setOf(of);
    shown.refresh();
    EXPECT_EQ(view.pane(Role::a)->heatmap()->colors(), view.pane(Role::b)->heatmap()->colors());
    EXPECT_EQ(view.pane(Role::difference)->heatmap()->colors().kind(), ColorMap::Kind::diverging);
  }
  EXPECT_EQ(view.viewState().value("of").toString(), "attention");
}

TEST_F(Compared, ZoomsTogether) {
  CompareView view(&selection);
  const ShownView shown(view, slice, {1300, 500});
  view.pane(Role::b)->xAxis->setRange(5, 15);
  for (const Role role : {Role::a, Role::difference}) {
    EXPECT_EQ(view.pane(role)->xAxis->range(), QCPRange(5, 15));
  }
}

TEST_F(Compared, AClickLocksTheCellOfB) {
  CompareView view(&selection);
  const ShownView shown(view, slice, {1300, 500});
  ComparePane* pane = view.pane(Role::a);
  QTest::mouseClick(pane, Qt::LeftButton, {}, pane->cellCentre(3 * 2 + 1, 9).toPoint());
  ASSERT_TRUE(selection.locked());
  EXPECT_EQ(selection.locked()->layer, 2) << "the place of layer 3";
  EXPECT_EQ(selection.locked()->kvHead, 1);
  EXPECT_EQ(selection.locked()->token, 9);
}

TEST_F(Compared, OfOtherPromptsNoDifferenceIsDrawnAndThePaneSaysWhy) {
  const auto a = analyse({.capture = otherPrompt(), .params = {}, .prefix = 30});
  const auto refused = loadSlice(slice->analysis, slice->slice, {}, {"other", a});
  ASSERT_FALSE(refused->against->alignment.allowed());
  EXPECT_EQ(compared(refused), nullptr);
  CompareView view(&selection);
  const ShownView shown(view, refused, {1300, 500});
  EXPECT_NE(view.pane(Role::a)->heatmap()->map(), nullptr);
  EXPECT_EQ(view.pane(Role::difference)->heatmap()->map(), nullptr);
  const QString why = "the prompts differ: token 2 is \" else\" and \" w2\"";
  EXPECT_EQ(view.pane(Role::difference)->message(), "No difference is drawn: " + why + ".");
  EXPECT_EQ(view.remark(), why);
  DeltaView table(&selection);
  table.show(refused);
  EXPECT_EQ(table.error(), "Not compared: " + why + ".");
  EXPECT_FALSE(table.table());
  OverlayView lines(&selection);
  lines.show(refused);
  EXPECT_TRUE(lines.error().contains(why));
}

TEST_F(Compared, TheTableSaysBetterAndWorseInWords) {
  DeltaView view(&selection);
  view.setTheme(Theme::of(ThemeKind::light));
  view.show(slice);
  const auto& metrics = slice->against->comparison->metrics;
  ASSERT_EQ(view.metrics()->rowCount(), std::ssize(metrics));
  bool better = false, worse = false;
  for (int row = 0; row < view.metrics()->rowCount(); ++row) {
    const QString word = view.metrics()->item(row, DeltaView::kWord)->text();
    const DeltaWord expected = metrics[static_cast<std::size_t>(row)].word();
    EXPECT_EQ(word == "▲ better", expected == DeltaWord::better);
    EXPECT_EQ(word == "▼ worse", expected == DeltaWord::worse);
    EXPECT_EQ(word.startsWith("same"), expected == DeltaWord::same);
    better = better || expected == DeltaWord::better;
    worse = worse || expected == DeltaWord::worse;
    EXPECT_EQ(view.metrics()->item(row, DeltaView::kA)->foreground().color(),
              expected == DeltaWord::same ? Theme::of(ThemeKind::light).muted
                                          : Theme::of(ThemeKind::light).text);
  }
  EXPECT_TRUE(better && worse) << "fewer errors, more bits";
  ASSERT_EQ(view.settings()->rowCount(), 2);
  EXPECT_EQ(view.settings()->item(0, 0)->text(), "key.target_quantization_error");
  EXPECT_EQ(view.settings()->item(0, 2)->text(), "0.01");
  for (int column = 0; column < DeltaView::kColumns; ++column) {
    EXPECT_FALSE(view.metrics()->horizontalHeaderItem(column)->toolTip().isEmpty());
  }
}

TEST_F(Compared, WithoutAViewsOfBothSaySo) {
  const SharedSlice alone = loadSlice(slice->analysis, slice->slice);
  for (PlotView* view : std::initializer_list<PlotView*>{
           new CompareView(&selection), new OverlayView(&selection), new DeltaView(&selection)}) {
    const std::unique_ptr<PlotView> owned(view);
    view->show(alone);
    EXPECT_EQ(view->error(), needsReference());
    EXPECT_TRUE(view->isOfBoth());
  }
}

class ComparingWindow : public testing::Test {
 protected:
  ComparingWindow() {
    WindowServices services{.openCapture = [](const std::string& path, const Work& work) {
      return path.ends_with("other.h5") ? otherPrompt() : openFake(path, work);
    }};
    services.sessions = sessions.files();
    window = std::make_unique<MainWindow>(services);
    window->setRunReader([](const std::string&, const Work&) {
      return std::vector<RunSummary>{{.name = "paper", .params = paramsOf(3).qaq, .prefix = 20}};
    });
    window->setThemeChoice(MainWindow::ThemeChoice::light);
    window->resize(1280, 800);
    window->show();
  }
  void settle() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(waitFor([this] {
        QApplication::processEvents();
        return window->isSettled();
      }));
    }
  }
  void open() {
    window->setSettings(paramsOf(0.1), 30);
    window->openFile("/data/planted.h5");
    settle();
  }
  void give(const char* line) {
    window->commands().registry().triggerLine(QString::fromUtf8(line));
    settle();
  }
  Workspace& workspace() { return window->workspace(); }
  const Against* against() { return workspace().shown()->against.get(); }
  QUndoStack& undo() { return window->commands().edits().stack(); }

  FakeSessions sessions;
  std::unique_ptr<MainWindow> window;
};

TEST_F(ComparingWindow, HoldsWhatIsShownAgainstARunLive) {
  open();
  EXPECT_EQ(against(), nullptr);
  give("compare paper");
  ASSERT_NE(against(), nullptr);
  EXPECT_EQ(against()->label, "paper");
  EXPECT_EQ(against()->analysis->replay->prefix, 20);
  ASSERT_NE(against()->comparison, nullptr);
  EXPECT_EQ(against()->comparison->prefix, 20);
  EXPECT_EQ(window->page()->current()->view("compare")->error(), "");
  const auto before = against()->comparison;
  give("target_quantization_error = 0.5");
  EXPECT_NE(against()->comparison, before) << "B is another now";
  EXPECT_EQ(against()->analysis->replay->prefix, 20);
}

TEST_F(ComparingWindow, TogglingKeepsAAndUndoTakesItBack) {
  open();
  EXPECT_FALSE(window->commands().registry().isEnabled("compare.toggle"));
  give("compare the whole cache");
  ASSERT_NE(against(), nullptr);
  EXPECT_EQ(against()->analysis->replay->prefix, 30) << "as many tokens as B quantizes";
  EXPECT_EQ(against()->analysis->replay->value.quantization_error, 0);
  give("compare-toggle");
  EXPECT_EQ(against(), nullptr);
  EXPECT_TRUE(workspace().reference());
  give("compare-toggle");
  ASSERT_NE(against(), nullptr);
  undo().undo();
  settle();
  EXPECT_EQ(against(), nullptr);
  EXPECT_FALSE(workspace().reference());
}

TEST_F(ComparingWindow, SwappingExchangesBothAndUndoes) {
  open();
  give("compare paper");
  const auto a = against()->analysis;
  const auto there = against()->comparison;
  give("swap");
  EXPECT_EQ(workspace().prefix(), 20);
  EXPECT_TRUE(same_parameters(workspace().params(), paramsOf(3)));
  EXPECT_TRUE(same_parameters(workspace().shown()->analysis->params, a->params));
  EXPECT_EQ(against()->analysis->replay->prefix, 30);
  ASSERT_NE(against()->comparison, nullptr);
  for (std::size_t i = 0; i < there->metrics.size(); ++i) {
    EXPECT_EQ(against()->comparison->metrics[i].absolute(), -there->metrics[i].absolute());
  }
  undo().undo();
  settle();
  EXPECT_EQ(workspace().prefix(), 30);
  EXPECT_TRUE(same_parameters(workspace().params(), paramsOf(0.1)));
}

TEST_F(ComparingWindow, BlinkingShowsAInEveryViewOfOneSetting) {
  open();
  give("compare paper");
  window->page()->bringUp("bits");
  settle();
  auto* bits = static_cast<BitMapView*>(window->page()->view("bits"));
  const SharedHeatmap b = workspace().shown()->analysis->value.bits;
  EXPECT_EQ(bits->pane(CacheSide::value)->heatmap()->map(), b);
  bits->setFocus();
  QTest::keyPress(window.get(), Qt::Key_B);
  EXPECT_TRUE(window->isBlinking());
  EXPECT_EQ(bits->pane(CacheSide::value)->heatmap()->map(), against()->analysis->value.bits);
  QTest::keyRelease(window.get(), Qt::Key_B);
  EXPECT_FALSE(window->isBlinking());
  EXPECT_EQ(bits->pane(CacheSide::value)->heatmap()->map(), b);
}

TEST_F(ComparingWindow, AnotherCaptureIsHeldUnderTheSettingThatIsShown) {
  window->setSettings(paramsOf(0.1), 30);
  window->openCompared("/data/other.h5", {}, "/data/planted.h5");
  settle();
  ASSERT_NE(against(), nullptr);
  EXPECT_NE(against()->analysis->capture, workspace().capture());
  EXPECT_FALSE(against()->alignment.allowed());
  give("target_quantization_error = 0.5");
  EXPECT_TRUE(same_parameters(against()->analysis->params, workspace().params()));
  EXPECT_EQ(window->page()->current()->view("compare")->error(), "");
  const SharedCapture a = against()->analysis->capture;
  give("swap");
  EXPECT_EQ(workspace().capture(), a);
  EXPECT_EQ(workspace().path(), "/data/other.h5");
  EXPECT_EQ(against()->label, "planted.h5");
}

TEST_F(ComparingWindow, ACaptureThatIsClosedIsNoReference) {
  open();
  give("compare paper");
  window->openFile("/data/small.h5");
  settle();
  EXPECT_FALSE(workspace().reference());
  EXPECT_EQ(against(), nullptr);
}

TEST_F(ComparingWindow, ARunThatIsNotThereIsToldInTheStatusLine) {
  open();
  give("compare-file /data/planted.h5#nothing");
  EXPECT_FALSE(workspace().reference());
  EXPECT_TRUE(window->status()->errorText().contains("has no run 'nothing'"));
}

TEST_F(ComparingWindow, ASessionKeepsTheReference) {
  open();
  give("compare paper");
  const SessionState state = window->sessionState();
  ASSERT_TRUE(state.reference);
  EXPECT_EQ(state.reference->kind, "setting");
  EXPECT_EQ(state.reference->capture, "") << "the open one";
  give("compare the whole cache");
  window->applySession(state);
  settle();
  ASSERT_NE(against(), nullptr);
  EXPECT_EQ(against()->label, "paper");
  EXPECT_EQ(against()->analysis->replay->prefix, 20);
  EXPECT_EQ(against()->analysis->capture, workspace().capture());
}

TEST_F(ComparingWindow, TheListOfRunsMarksBothByLetters) {
  open();
  give("compare paper");
  auto* list = window->findChild<QWidget*>("runsPanel")->findChild<QTreeWidget*>();
  QStringList letters;
  for (int i = 0; i < list->topLevelItemCount(); ++i) {
    letters.push_back(list->topLevelItem(i)->data(0, Qt::AccessibleDescriptionRole).toString());
    EXPECT_EQ(list->topLevelItem(i)->icon(0).isNull(), letters.last().isEmpty());
  }
  EXPECT_EQ(letters.count("A"), 1);
  EXPECT_EQ(letters.count("B"), 1);
}

}  // namespace
}  // namespace qaq::views
