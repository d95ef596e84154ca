// V10: the rows behind the pictures.
#include "views/plots/table_view.h"

#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QHeaderView>
#include <QSignalSpy>
#include <QTableView>
#include <gtest/gtest.h>
#include <numeric>

#include "core/base/error.h"
#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using Ranges = std::vector<TokenRange>;

class TableTwin : public testing::Test {
 protected:
  TableTwin() {
    selection.reset(analysis->capture->info(), {.layer = 1, .kvHead = 1});
    shown =
        std::make_unique<ShownView>(view, loadSlice(analysis, selection.slice()), QSize(800, 500));
  }
  TableModel* model() { return view.model(); }
  QString text(int row, int column) {
    return model()->data(model()->index(row, column)).toString();
  }

  SharedAnalysis analysis = plantedAnalysis({}, 34);
  SelectionModel selection;
  TableView view{&selection};
  QAbstractItemModelTester tester{view.model(),
                                  QAbstractItemModelTester::FailureReportingMode::Fatal};
  std::unique_ptr<ShownView> shown;
};

TEST_F(TableTwin, HoldsEveryCellOfTheBitMap) {
  ASSERT_EQ(model()->rowCount(), 2 * 3 * 2 * Planted::kTokens);
  EXPECT_EQ(model()->headerText(4), "bits (bit)");
  for (const int row : {0, 57, 300, 479}) {
    const RowPlace place = model()->placeOf(row);
    const auto& layers = analysis->capture->info().layers;
    const auto layer = std::find(layers.begin(), layers.end(), place.layer) - layers.begin();
    const CacheReplay& cache = place.cache == 0 ? analysis->replay->key : analysis->replay->value;
    EXPECT_EQ(text(row, 4), QString::number(cache.bits(layer, place.kv_head, place.token)));
    EXPECT_EQ(text(row, 0), place.cache == 0 ? "key" : "value");
  }
  const QVariant side = model()->data(model()->index(0, 4), Qt::TextAlignmentRole);
  EXPECT_TRUE(side.toInt() & Qt::AlignRight);
}

TEST_F(TableTwin, SortsOnAWorkerAndMarksTheColumn) {
  view.view()->horizontalHeader()->setSortIndicator(4, Qt::DescendingOrder);
  shown->refresh();
  const std::size_t column = 4;
  for (int row = 1; row < model()->rowCount(); ++row) {
    const auto bits = [&](int r) {
      return model()->rows()->whole(model()->order()[static_cast<std::size_t>(r)], column);
    };
    ASSERT_GE(bits(row - 1), bits(row));
    if (bits(row - 1) == bits(row)) {
      ASSERT_LT(model()->order()[static_cast<std::size_t>(row - 1)],
                model()->order()[static_cast<std::size_t>(row)])
          << "equal ones keep their order";
    }
  }
  EXPECT_EQ(view.view()->horizontalHeader()->sortIndicatorSection(), 4);
}

TEST_F(TableTwin, TheLockedCellIsMarkedAndInSight) {
  selection.lock({.side = CacheSide::value, .layer = 2, .kvHead = 0, .token = 33});
  shown->refresh();
  const auto row = model()->lockedRow();
  ASSERT_TRUE(row);
  const RowPlace place = model()->placeOf(*row);
  EXPECT_EQ(place.cache, 1);
  EXPECT_EQ(place.layer, 3) << "the model's number";
  EXPECT_EQ(place.token, 33);
  const auto back = model()->data(model()->index(*row, 2), Qt::BackgroundRole);
  EXPECT_EQ(back.value<QBrush>().color(), Theme::of(ThemeKind::light).accentSoft);
  EXPECT_FALSE(model()->data(model()->index(*row + 1, 2), Qt::BackgroundRole).isValid());
  const QRect cell = view.view()->visualRect(model()->index(*row, 0));
  EXPECT_TRUE(view.view()->viewport()->rect().contains(cell.center()));
}

TEST_F(TableTwin, AClickLocksTheRowsCell) {
  const int row = 2 * Planted::kTokens + 5;  // key, layer 1, head 0
  view.view()->scrollTo(model()->index(row, 0));
  const QPoint at = view.view()->visualRect(model()->index(row, 2)).center();
  QTest::mouseClick(view.view()->viewport(), Qt::LeftButton, {}, at);
  ASSERT_TRUE(selection.locked());
  EXPECT_EQ(*selection.locked(),
            (Cursor{.side = CacheSide::key, .layer = 1, .kvHead = 0, .token = 5}));
  EXPECT_EQ(selection.selected().tokens(), (Ranges{{5, 5}}));
}

TEST_F(TableTwin, OtherViewsHaveTheirRows) {
  view.setSource("outliers");
  shown->refresh();
  EXPECT_EQ(model()->rowCount(), Planted::kTokens) << "of the slice";
  view.setSource("attention");
  shown->refresh();
  ASSERT_EQ(model()->rowCount(), Planted::kTokens * (Planted::kTokens + 1) / 2);
  selection.lock({.layer = 1, .kvHead = 1, .token = Planted::kToken, .step = Planted::kStep});
  const auto row = model()->lockedRow();
  ASSERT_TRUE(row);
  EXPECT_EQ(text(*row, 4), "0.9000");
  view.setSource("tokens");
  shown->refresh();
  EXPECT_EQ(model()->rowCount(), Planted::kTokens);
  EXPECT_EQ(text(35, 2), "absent") << "behind the prefix";
  EXPECT_THROW(view.setSource("table"), Error);
}

TEST_F(TableTwin, AFilterLimitsTheRows) {
  selection.select(SelectionSet::of_boxes(selection.shape(), {{{3, 5}, 2, 2}}));
  selection.pushFilter();
  shown->refresh();
  ASSERT_EQ(model()->rowCount(), 2 * 3) << "layer 1, head 0, of keys and of values";
  EXPECT_EQ(model()->placeOf(0).layer, 1);
  EXPECT_TRUE(view.summary().contains("6 of 480 rows")) << view.summary().toStdString();
  std::int64_t n = 0;
  view.shownTable()->for_each_row([&](std::span<const Cell>) { ++n; });
  EXPECT_EQ(n, 6);
  EXPECT_EQ(view.table()->n_rows, 480) << "all of them";
}

TEST_F(TableTwin, CopiesWithFullPrecision) {
  view.setSource("attention");
  shown->refresh();
  view.view()->selectRow(0);
  view.view()->selectionModel()->select(model()->index(3, 0),
                                        QItemSelectionModel::Select | QItemSelectionModel::Rows);
  QGuiApplication::clipboard()->clear();
  QTest::keyClick(view.view(), Qt::Key_C, Qt::ControlModifier);
  ASSERT_TRUE(waitFor([] { return !QGuiApplication::clipboard()->text().isEmpty(); }));
  EXPECT_EQ(QGuiApplication::clipboard()->text(),
            "layer\tkv_head\tstep\ttoken\tattention [1]\n1\t1\t0\t0\t1\n"
            "1\t1\t2\t0\t0.33333334\n");
}

TEST_F(TableTwin, ExportIsAskedForAndNotDone) {
  QSignalSpy asked(&view, &TableView::exportWanted);
  for (QAction* action : view.findChildren<QAction*>()) {
    if (action->text() == "Rows shown" || action->text() == "All rows") action->trigger();
  }
  ASSERT_EQ(asked.count(), 2);
  EXPECT_EQ(asked[0][0].toBool(), true);
  EXPECT_EQ(asked[1][0].toBool(), false);
}

TEST_F(TableTwin, AMillionRowsAreSortedElsewhere) {
  const auto rows = [] {
    Table table;
    table.columns = {{.name = "token"}};
    table.n_rows = 1000000;
    table.for_each_row = [](const RowSink& sink) {
      for (std::int64_t i = 0; i < 1000000; ++i) {
        const Cell cell = i * 7919 % 1000003;
        sink({&cell, 1});
      }
    };
    return TableRows::of(table);
  }();
  std::vector<std::int32_t> order(1000000);
  std::iota(order.begin(), order.end(), 0);
  model()->setRows(rows, order, 1);
  EXPECT_EQ(model()->rowCount(), 1000000);
  EXPECT_EQ(text(999999, 0), QLocale().toString(999999LL * 7919 % 1000003));
}

}  // namespace
}  // namespace qaq::views
