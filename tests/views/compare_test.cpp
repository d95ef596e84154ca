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
#include "views/plots/tradeoff_view.h"
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

// A map of A and B alone, for cells that no setting makes.
SharedComparedMaps plantedMaps(const SharedSlice& slice, int row, int column, float difference) {
  constexpr std::int64_t kRows = 1200, kColumns = 4000;
  auto maps = std::make_shared<ComparedMaps>(*loadComparedMaps(slice, CompareOf::magnitude));
  const auto a = std::make_shared<const Heatmap>(NdArray<float, 2>({kRows, kColumns}, 5.0f));
  NdArray<float, 2> cells({kRows, kColumns}, 5.0f);
  cells(row, column) += difference;
  maps->a = a;
  maps->b = std::make_shared<const Heatmap>(std::move(cells));
  maps->difference = std::make_shared<const Heatmap>(difference_map(*maps->a, *maps->b));
  maps->counts = difference_counts(*maps->difference);
  return maps;
}

TEST_F(Compared, ALoneDifferenceIsSeenWithItsSignAtEveryZoom) {
  for (const float planted : {-2.0f, 2.0f}) {
    ComparePane pane(Role::difference);
    pane.setTheme(Theme::of(ThemeKind::light));
    pane.show(plantedMaps(slice, 717, 2911, planted));
    const auto& table = Palette::of(ThemeKind::light).diverging();
    const QRgb there = planted < 0 ? table.front() : table.back();
    const QRgb elsewhere = planted < 0 ? table.back() : table.front();
    for (double half = 4000; half > 2; half *= 0.6) {
      pane.xAxis->setRange(2911 - half, 2911 + half * 0.9);
      pane.yAxis->setRange(717 - half / 4, 717 + half / 5);
      QImage image(QSize(500, 400), QImage::Format_RGB32);
      QCPPainter painter(&image);
      painter.setMode(QCPPainter::pmNoCaching);
      pane.toPainter(&painter, image.width(), image.height());
      painter.end();
      EXPECT_GE(countPixels(image, there, pane.axisRect()->rect()), 1) << half;
      EXPECT_EQ(countPixels(image, elsewhere, pane.axisRect()->rect()), 0) << half;
      if (half == 4000) {
        EXPECT_TRUE(pane.heatmap()->badge().startsWith("largest |B − A| of "));
      }
    }
  }
}

class Swiped : public Compared {
 protected:
  Swiped() : view(&selection) { view.setMode(CompareMode::swipe); }

  CompareView view;
  ComparePane* pane() const { return view.pane(Role::swipe); }
  SwipeHandle* handle() const { return pane()->handle(); }
  /// A cell in the middle of the plot's height whose colours in A and B differ.
  Cell cellThatDiffers(double from, double to) const {
    const auto maps = loadComparedMaps(slice, CompareOf::bits);
    const auto columns = static_cast<double>(maps->a->columns());
    for (std::int64_t row = 0; row < 3; ++row) {
      for (auto column = static_cast<std::int64_t>(from * columns) + 1;
           column < static_cast<std::int64_t>(to * columns) - 1; ++column) {
        if (maps->a->at(row, column) != maps->b->at(row, column)) return {row, column};
      }
    }
    ADD_FAILURE() << "nothing differs";
    return {};
  }
};

TEST_F(Swiped, ShowsALeftAndBRightOfTheDivider) {
  for (const ThemeKind theme : {ThemeKind::light, ThemeKind::dark}) {
    ShownView shown(view, slice, {480, 500}, theme);
    ASSERT_TRUE(pane()->isVisible());
    EXPECT_FALSE(view.pane(Role::difference)->isVisible());
    const auto maps = loadComparedMaps(slice, CompareOf::bits);
    const auto colors = ColorMap::bits(Palette::of(theme), Palette::kWidestBits + 1);
    const Cell left = cellThatDiffers(0, 0.5), right = cellThatDiffers(0.5, 0.7);
    view.setDivider(0.5);
    shown.refresh();
    EXPECT_EQ(shown.cell(pane(), left.row, left.column),
              colors(maps->a->at(left.row, left.column)));
    EXPECT_EQ(shown.cell(pane(), right.row, right.column),
              colors(maps->b->at(right.row, right.column)));
    view.setDivider(1);
    shown.refresh();
    EXPECT_EQ(shown.cell(pane(), right.row, right.column),
              colors(maps->a->at(right.row, right.column)));
    view.setDivider(0);
    shown.refresh();
    EXPECT_EQ(shown.cell(pane(), left.row, left.column),
              colors(maps->b->at(left.row, left.column)));
  }
}

TEST_F(Swiped, TheDividerIsSeenAndMovesByPointerAndKeys) {
  for (const ThemeKind theme : {ThemeKind::light, ThemeKind::dark}) {
    view.setDivider(0.5);
    ShownView shown(view, slice, {480, 500}, theme);
    const QRect plot = pane()->axisRect()->rect();
    const int x = plot.left() + static_cast<int>(std::lround(0.5 * plot.width()));
    const Theme& look = Theme::of(theme);
    const int y = plot.top() + plot.height() / 4;
    EXPECT_EQ(shown.at(pane(), QPoint(x, y)), look.text.rgb());
    EXPECT_EQ(shown.at(pane(), QPoint(x - 1, y)), look.halo.rgb());
    EXPECT_EQ(shown.at(pane(), QPoint(x + 1, y)), look.halo.rgb());
    const QPoint middle = handle()->rect().center();
    QTest::mousePress(handle(), Qt::LeftButton, {}, middle);
    QTest::mouseMove(handle(), middle + QPoint(plot.width() / 4, 0));
    QTest::mouseRelease(handle(), Qt::LeftButton, {}, middle);
    EXPECT_NEAR(view.divider(), 0.75, 0.01);
    const double before = view.divider();
    QTest::keyClick(handle(), Qt::Key_Left);
    EXPECT_LT(view.divider(), before);
    QTest::keyClick(handle(), Qt::Key_Home);
    EXPECT_EQ(view.divider(), 0);
    EXPECT_FALSE(selection.locked()) << "the arrows were the divider's";
  }
}

TEST_F(Swiped, IsKeptInTheSession) {
  view.setDivider(0.25);
  const QJsonObject kept = view.viewState();
  CompareView again(&selection);
  EXPECT_TRUE(again.viewState().isEmpty());
  again.setViewState(kept);
  EXPECT_EQ(again.mode(), CompareMode::swipe);
  EXPECT_EQ(again.divider(), 0.25);
  again.setViewState({});
  EXPECT_EQ(again.mode(), CompareMode::beside);
}

TEST_F(Swiped, AFigureHasTheOneMapAndItsDivider) {
  view.setDivider(0.5);
  const ShownView shown(view, slice, {480, 500});
  const QSize size = view.figureSize();
  EXPECT_LT(size.width(), CompareView(&selection).figureSize().width() / 2);
  QImage image(size, QImage::Format_RGB32);
  QCPPainter painter(&image);
  painter.setMode(QCPPainter::pmNoCaching);
  view.paintFigure(&painter, size);
  painter.end();
  const QRect plot = pane()->axisRect()->rect();
  const int x = plot.left() + static_cast<int>(std::lround(0.5 * plot.width()));
  EXPECT_EQ(image.pixel(x, plot.top() + plot.height() / 4), Theme::of(ThemeKind::light).text.rgb());
}

TEST_F(Compared, NumbersOfBothLieOverEachOtherWithTheirLetters) {
  OverlayView view(&selection);
  ShownView shown(view, slice, {700, 500});
  view.setOf(OverlayOf::numbers);
  shown.refresh();
  const Chart& chart = view.plot()->chart();
  ASSERT_EQ(chart.panels.at(0).series.size(), 2u);
  EXPECT_EQ(chart.panels[0].series[0].mark, ChartMark::steps);
  const auto before = chart.panels[0].series[0].points;
  const auto& categories = Palette::of(ThemeKind::light).categories();
  for (const int which : {kComparedA, kComparedB}) {
    EXPECT_GE(countPixels(shown.image(), categories[static_cast<std::size_t>(which)].color), 20);
  }
  EXPECT_EQ(view.table()->n_rows, std::ssize(before));
  const auto other = compared(loadSlice(slice->analysis, {.layer = 0, .kvHead = 0}, slice,
                                        {slice->against->label, slice->against->analysis}));
  view.show(other ? other
                  : loadSlice(slice->analysis, {.layer = 0, .kvHead = 0}, slice,
                              {slice->against->label, slice->against->analysis}));
  shown.refresh();
  EXPECT_NE(view.plot()->chart().panels.at(0).series.at(0).points.front().x, before.front().x)
      << "another head";
  OverlayView again(&selection);
  again.setViewState(view.viewState());
  EXPECT_EQ(again.of(), OverlayOf::numbers);
}

TEST_F(Compared, StepsAreCountedInWholeNumbers) {
  OverlayView view(&selection);
  for (const int width : {300, 500, 900}) {
    const ShownView shown(view, slice, {width, 400});
    const QCPAxis* axis = view.plot()->panels().first()->axis(QCPAxis::atBottom);
    ASSERT_GE(axis->tickVector().size(), 2);
    for (const double tick : axis->tickVector()) EXPECT_EQ(tick, std::round(tick)) << width;
  }
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
      return std::vector<RunSummary>{{.name = "paper", .params = paramsOf(3), .prefix = 20}};
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

TEST_F(ComparingWindow, AnotherCaptureAndNothingAreStepsThatUndo) {
  open();
  give("compare paper");
  give("compare-file /data/other.h5");
  EXPECT_EQ(against()->label, "other.h5");
  give("compare-clear");
  EXPECT_EQ(against(), nullptr);
  EXPECT_FALSE(workspace().reference());
  undo().undo();
  settle();
  ASSERT_NE(against(), nullptr);
  EXPECT_EQ(against()->label, "other.h5");
  undo().undo();
  settle();
  EXPECT_EQ(against()->label, "paper");
  undo().redo();
  settle();
  EXPECT_EQ(against()->label, "other.h5");
}

TEST_F(ComparingWindow, CommandsChooseTheModeAndMoveTheDivider) {
  open();
  give("compare paper");
  EXPECT_FALSE(window->commands().registry().isEnabled("compare.divider"));
  give("compare-mode swipe");
  const auto* view = static_cast<CompareView*>(window->page()->view("compare"));
  EXPECT_EQ(view->mode(), CompareMode::swipe);
  give("divider 20");
  EXPECT_DOUBLE_EQ(view->divider(), 0.2);
  give("compare-mode beside");
  EXPECT_EQ(view->mode(), CompareMode::beside);
}

TEST_F(ComparingWindow, TheTradeOffMarksBothByLetterColourAndSign) {
  open();
  const auto marks = [this] {
    QMap<int, QString> out;
    for (const PlotView* view : window->viewsInSight()) {
      const auto* tradeoff = qobject_cast<const TradeoffView*>(view);
      if (!tradeoff) continue;
      for (const PointLabels::Label& label : tradeoff->labels()->labels()) {
        if (label.compared) out[*label.compared] = label.text;
      }
    }
    return out;
  };
  give("compare paper");
  EXPECT_EQ(marks().value(kComparedA), "paper");
  EXPECT_EQ(marks().size(), 2);
  give("compare-toggle");
  EXPECT_TRUE(marks().isEmpty());
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
