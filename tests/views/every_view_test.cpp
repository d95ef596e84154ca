// What holds for every view: it can be reached and read without a mouse and without eyes.
#include <gtest/gtest.h>

#include "tests/views/diagnosis_fake.h"
#include "tests/views/views_fixture.h"
#include "views/plots/view_list.h"

namespace qaq::views {
namespace {

class EveryView : public testing::TestWithParam<QString> {
 protected:
  EveryView() : slice(test::diagnosedSlice(test::comparedSlice())) {
    selection.reset(test::plantedInfo(), slice->slice);
    selection.lock({.layer = 1, .kvHead = 1, .token = 7, .step = 30});
    view = makeView(GetParam(), &selection);
    view->setTheme(Theme::of(ThemeKind::light));
    view->resize(900, 500);
    view->QWidget::show();
    view->show(slice);
    EXPECT_TRUE(test::waitFor([this] { return view->isReady(); }));
  }

  SharedSlice slice;
  SelectionModel selection;
  std::unique_ptr<PlotView> view;
};

TEST_P(EveryView, HasATitleASummaryAndAFigure) {
  EXPECT_EQ(view->id(), GetParam());
  EXPECT_FALSE(view->title().isEmpty());
  EXPECT_EQ(view->error(), "");
  EXPECT_FALSE(view->summary().isEmpty());
  EXPECT_GT(view->figureSize().width(), 100);
}

TEST_P(EveryView, TakesTheKeyboard) {
  bool focusable = (view->focusPolicy() & Qt::TabFocus) != 0;
  for (const QWidget* widget : view->findChildren<QWidget*>()) {
    focusable = focusable || (widget->focusPolicy() & Qt::TabFocus) != 0;
  }
  EXPECT_TRUE(focusable);
}

TEST_P(EveryView, HasItsTable) {
  const auto table = view->table();
  ASSERT_TRUE(table);
  EXPECT_FALSE(table->columns.empty());
  EXPECT_GT(table->n_rows, 0);
  std::int64_t n = 0;
  table->for_each_row(
      [&](std::span<const Cell> row) { n += row.size() == table->columns.size() ? 1 : 0; });
  EXPECT_EQ(n, table->n_rows);
}

TEST(ScreenReaders, FindWhereTheKeyboardsCursorIs) {
  SelectionModel selection;
  const SharedSlice slice = loadSlice(test::plantedAnalysis(), {.layer = 1, .kvHead = 1});
  selection.reset(test::plantedInfo(), slice->slice);
  const auto view = makeView("bits", &selection);
  test::ShownView shown(*view, slice);
  QWidget* pane = view->panes().first();
  selection.lock({.side = CacheSide::key, .layer = 2, .kvHead = 1, .token = 7});
  EXPECT_TRUE(pane->accessibleDescription().endsWith(". K, layer 3, KV head 1, token 7"))
      << "the model's layer";
  QTest::keyClick(pane, Qt::Key_Right);
  EXPECT_TRUE(pane->accessibleDescription().endsWith("token 8"));
  EXPECT_TRUE(pane->accessibleDescription().startsWith(view->panes().first()->summary()));
}

INSTANTIATE_TEST_SUITE_P(Views, EveryView, testing::ValuesIn(viewIds()),
                         [](const auto& test) { return test.param.toStdString(); });

}  // namespace
}  // namespace qaq::views
