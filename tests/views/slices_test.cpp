// Slices: made by analyses, kept by the user, chosen from a list; what says that a filter acts.
#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QToolButton>
#include <QTreeWidget>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/models/slice_book.h"
#include "views/panels/filter_bar.h"
#include "views/panels/selection_bar.h"
#include "views/panels/slices_panel.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using Ranges = std::vector<TokenRange>;

class Slices : public testing::Test {
 protected:
  Slices() {
    selection.reset(analysis->capture->info(), {.layer = 1, .kvHead = 1});
    book.show(analysis);
    EXPECT_TRUE(waitFor([this] { return book.isReady(); }));
  }
  int indexOf(const std::string& name) const {
    const auto at = std::ranges::find(book.slices(), name, &NamedSlice::name);
    return at == book.slices().end() ? -1 : static_cast<int>(at - book.slices().begin());
  }
  SelectionSet tokens(int first, int last) const {
    return SelectionSet::of_tokens(selection.shape(), Ranges{{first, last}});
  }

  SharedAnalysis analysis = plantedAnalysis({}, 34);
  SelectionModel selection;
  SliceBook book{&selection};
};

TEST_F(Slices, OfAnalysesAreThere) {
  ASSERT_GE(indexOf("violations"), 0);
  book.choose(indexOf("violations"));
  EXPECT_EQ(selection.selected(), tokens(Planted::kToken, Planted::kToken));
  EXPECT_EQ(book.chosen(), indexOf("violations"));
  book.choose(indexOf("newest"));
  EXPECT_EQ(selection.selected(), tokens(30, 33)) << "4 of the prefix of 34";
}

TEST_F(Slices, FollowTheParameters) {
  book.show(plantedAnalysis({}, 20));
  EXPECT_TRUE(waitFor([this] { return book.isReady(); }));
  book.choose(indexOf("newest"));
  EXPECT_EQ(selection.selected(), tokens(16, 19));
}

TEST_F(Slices, AreNotMadeAnewWhereTheyCannotHaveChanged) {
  const QSignalSpy changed(&book, &SliceBook::changed);
  auto later = std::make_shared<Analysis>(*analysis);
  later->stage = Analysis::Stage::bits;
  later->params.qaq.value.target_quantization_error *= 2;
  book.show(later);
  EXPECT_EQ(changed.size(), 0);
  later = std::make_shared<Analysis>(*later);
  later->params.qaq.value.last_n_attentions += 1;
  book.show(later);
  EXPECT_EQ(changed.size(), 1);
}

TEST_F(Slices, OfTheUserAreKeptNamedAndTakenAway) {
  book.keepSelected("nothing");
  EXPECT_EQ(indexOf("nothing"), -1) << "nothing is selected";
  selection.select(tokens(2, 5));
  book.keepSelected();
  book.keepSelected("mine");
  book.keepSelected("mine");
  ASSERT_EQ(book.userSlices().size(), 3u);
  EXPECT_EQ(book.userSlices()[0].name, "selection 1");
  EXPECT_EQ(book.userSlices()[2].name, "mine 2");
  book.rename(indexOf("mine 2"), "  other ");
  EXPECT_GE(indexOf("other"), 0);
  book.rename(indexOf("violations"), "x");
  book.remove(indexOf("violations"));
  EXPECT_GE(indexOf("violations"), 0) << "what an analysis made is no user's";
  book.remove(indexOf("mine"));
  EXPECT_EQ(book.userSlices().size(), 2u);
  // They outlive new parameters, and come back from where a session kept them.
  book.show(plantedAnalysis({}, 20));
  const auto kept = std::vector<NamedSlice>{{.name = "kept", .cells = tokens(1, 1)}};
  book.setUserSlices(kept);
  ASSERT_EQ(book.userSlices().size(), 1u);
  EXPECT_EQ(book.userSlices()[0].cells, tokens(1, 1));
}

TEST_F(Slices, AnotherCaptureHasNoneOfThem) {
  selection.select(tokens(2, 5));
  book.keepSelected("mine");
  const auto small = smallCapture();
  selection.reset(small->info(), {});
  book.show(analyse({.capture = small}));
  EXPECT_TRUE(book.slices().empty());
  EXPECT_TRUE(waitFor([this] { return book.isReady(); }));
  EXPECT_TRUE(book.userSlices().empty());
  EXPECT_FALSE(book.slices().empty());
}

TEST_F(Slices, ModeNewKeepsWhatIsSelected) {
  selection.setMode(SelectMode::make);
  selection.drag(tokens(2, 3), Qt::NoModifier);
  selection.drag(tokens(6, 7), Qt::NoModifier);
  ASSERT_EQ(book.userSlices().size(), 2u);
  EXPECT_EQ(book.userSlices()[1].cells, tokens(6, 7));
}

TEST_F(Slices, TheListSelectsRenamesAndDeletes) {
  SlicesPanel panel(&book, &selection);
  panel.setTheme(Theme::of(ThemeKind::light));
  panel.resize(226, 300);
  panel.show();
  const QAbstractItemModelTester tester(panel.list()->model());
  const int row = indexOf("violations");
  EXPECT_EQ(panel.list()->topLevelItem(row)->text(0), "violations (auto)");
  EXPECT_EQ(panel.list()->topLevelItem(row)->text(1), "1 token");
  const QRect item = panel.list()->visualItemRect(panel.list()->topLevelItem(row));
  QTest::mouseClick(panel.list()->viewport(), Qt::LeftButton, {}, item.center());
  EXPECT_EQ(selection.selected(), tokens(Planted::kToken, Planted::kToken));
  auto* keep = panel.findChild<QToolButton*>();
  EXPECT_FALSE(keep->isEnabled()) << "it is a slice already";
  selection.select(tokens(1, 4));
  EXPECT_EQ(panel.list()->currentItem(), nullptr);
  keep->click();
  const int own = indexOf("selection 1");
  ASSERT_GE(own, 0);
  EXPECT_EQ(panel.list()->currentItem(), panel.list()->topLevelItem(own));
  panel.list()->topLevelItem(own)->setText(0, "first clause");
  EXPECT_TRUE(waitFor([this] { return indexOf("first clause") >= 0; }));
  panel.list()->setCurrentItem(panel.list()->topLevelItem(own));
  QTest::keyClick(panel.list(), Qt::Key_Delete);
  EXPECT_TRUE(book.userSlices().empty());
}

TEST_F(Slices, TheBarSaysModeSizeAndFilter) {
  SelectionBar bar(&selection);
  FilterBar filter(&selection);
  bar.setTheme(Theme::of(ThemeKind::light));
  filter.setTheme(Theme::of(ThemeKind::light));
  EXPECT_EQ(bar.text(), "Select: Replace");
  EXPECT_TRUE(filter.isHidden());
  for (QAction* action : bar.findChildren<QAction*>()) {
    if (action->text() == "Intersect") action->trigger();
  }
  EXPECT_EQ(selection.mode(), SelectMode::intersect);
  EXPECT_EQ(bar.text(), "Select: Intersect");
  selection.select(SelectionSet::of_boxes(selection.shape(), {{{2, 5}, 1, 2}}));
  EXPECT_EQ(bar.count(), "4 tokens, 8 cells");
  for (auto* button : bar.findChildren<QToolButton*>()) {
    if (button->text() == "Filter") button->click();
    if (button->text() == "Box") button->click();
  }
  EXPECT_TRUE(selection.isBoxTool());
  EXPECT_FALSE(filter.isHidden());
  EXPECT_EQ(filter.text(), "Filter: 4 tokens, 8 cells of 40 in text and table");
  for (auto* button : filter.findChildren<QToolButton*>()) {
    if (button->text() == "Show all") button->click();
  }
  EXPECT_TRUE(filter.isHidden());
}

}  // namespace
}  // namespace qaq::views
