// The inspector says what `qaq explain` says.
#include "views/panels/inspector_panel.h"

#include <gtest/gtest.h>

#include "core/replay/explain.h"
#include "tests/views/views_fixture.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class Inspector : public testing::Test {
 protected:
  Inspector() {
    selection.reset(analysis->capture->info(), {.layer = 1, .kvHead = 1});
    panel.setTheme(Theme::of(ThemeKind::light));
    panel.show(loadSlice(analysis, selection.slice()));
  }
  void settle() {
    ASSERT_TRUE(waitFor([this] { return panel.isReady(); }));
  }
  static QString row(const QList<QPair<QString, QString>>& rows, const QString& name) {
    for (const auto& [key, text] : rows) {
      if (key == name) return text;
    }
    return QStringLiteral("no row ") + name;
  }
  QString row(const QString& name) const { return row(panel.rows(), name); }

  SharedAnalysis analysis = plantedAnalysis({}, 28);
  SelectionModel selection;
  InspectorPanel panel{&selection};
};

TEST_F(Inspector, NumbersAreThoseOfExplain) {
  for (const Cursor& cursor :
       {Cursor{.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 7},
        Cursor{.side = CacheSide::key, .layer = 2, .kvHead = 0, .token = 3},
        Cursor{.side = CacheSide::value, .layer = 0, .kvHead = 0, .token = 26}}) {
    selection.lock(cursor);
    settle();
    ReplayOptions options{.params = analysis->params.qaq, .prefix = 28};
    const CellAddress cell{
        .side = cursor.side,
        .layer = analysis->capture->info().layers[static_cast<std::size_t>(cursor.layer)],
        .kv_head = cursor.kvHead,
        .token = cursor.token};
    const CellExplanation x = explain_cell(*analysis->capture, options, cell);
    EXPECT_EQ(row("Value range"),
              QStringLiteral("%1 to %2 (width %3)")
                  .arg(numberText(double{x.stats.min}), numberText(double{x.stats.max}),
                       numberText(double{x.stats.range(false)})));
    EXPECT_TRUE(row("Mean, mid-range").startsWith(numberText(double{x.stats.mean}) + ", "));
    EXPECT_EQ(row("Bits"), QStringLiteral("⌈%1⌉ = %2, %3 given")
                               .arg(numberText(x.bits.before_rounding))
                               .arg(x.bits.choice.wanted)
                               .arg(x.bits.choice.n_bits));
    EXPECT_TRUE(row("Error achieved").startsWith(numberText(x.rms_error) + " RMS"));
    EXPECT_TRUE(row("Kept exact, V").startsWith(QString::number(x.n_outliers)) ||
                cursor.side == CacheSide::key);
  }
  EXPECT_EQ(row("Clamp"), "forced: among the newest 4") << "token 26 of 28";
}

TEST_F(Inspector, WhatCameAfterwardsIsAnAlarm) {
  selection.lock({.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = Planted::kToken});
  settle();
  // Rows 23 to 27 give every token 1 / (s + 1); row 30 gives token 7 0.9.
  EXPECT_EQ(row("S in window, max"), "0.0417 (last 5 rows)");
  EXPECT_EQ(row("S afterwards, max"), "0.900 at step 30, 21.6 ×");
}

TEST_F(Inspector, CellsLeftExactSaySo) {
  selection.lock({.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 35});
  settle();
  EXPECT_EQ(row("Bits"), "left exact");
  EXPECT_EQ(row("Value range"), "–");
}

TEST_F(Inspector, ThePinnedCellStandsBeside) {
  EXPECT_TRUE(panel.pinnedRows().isEmpty());
  selection.lock({.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 7});
  settle();
  const auto before = panel.rows();
  selection.pin();
  selection.lock({.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 9});
  settle();
  EXPECT_EQ(panel.pinnedRows(), before);
  EXPECT_TRUE(row("Token").startsWith("9 "));
  selection.unpin();
  EXPECT_TRUE(panel.pinnedRows().isEmpty());
}

TEST_F(Inspector, NumbersOfAnotherCellAreNeverShown) {
  selection.lock({.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 7});
  settle();
  selection.hover(Cursor{.side = CacheSide::value, .layer = 1, .kvHead = 1, .token = 9});
  EXPECT_EQ(row("Value range"), "…");
  settle();
  EXPECT_NE(row("Value range"), "…");
  selection.hover(std::nullopt);
  selection.unlock();
  EXPECT_EQ(row("Value range"), "–");
}

}  // namespace
}  // namespace qaq::views
