// The settings that were tried on a capture.
#include "views/models/run_list.h"

#include <QSignalSpy>
#include <QTreeWidget>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/panels/runs_panel.h"
#include "views/plots/run_label.h"

namespace qaq::views {
namespace {

SharedAnalysis analysisAt(double target) {
  ScopeParams params;
  set_parameter(params, "target_quantization_error", target);
  return test::plantedAnalysis(params);
}

TEST(Runs, ASettingIsListedOnceUnderWhatSetsItApart) {
  RunList runs;
  runs.add(*analysisAt(1));
  runs.add(*analysisAt(0.03));
  runs.add(*analysisAt(1));
  ASSERT_EQ(runs.runs().size(), 2u);
  EXPECT_EQ(runs.current(), 0);
  EXPECT_EQ(runLabel(runs.runs()[0].summary), "target 1");
  EXPECT_EQ(runLabel(runs.runs()[1].summary), "target 0.03");
  const auto analysis = analysisAt(0.03);
  EXPECT_EQ(runs.runs()[1].summary.metrics.at("ratio_packed"), analysis->replay->ratio_packed);
  runs.rename(1, "  tight ");
  EXPECT_EQ(runLabel(runs.runs()[1].summary), "tight");
}

TEST(Runs, WhatIsTakenOffCanBePutBack) {
  RunList runs;
  runs.reset({RunSummary{.name = "stored"}});
  runs.add(*analysisAt(1));
  runs.add(*analysisAt(3));
  EXPECT_EQ(runs.current(), 2);
  const RunList::Run taken = runs.remove(1);
  EXPECT_EQ(runs.current(), 1);
  runs.insert(1, taken);
  EXPECT_EQ(runs.current(), 2);
  EXPECT_EQ(runLabel(runs.runs()[1].summary), "target 1");
}

TEST(Runs, TheOldestWithoutANameGivesWay) {
  RunList runs;
  std::vector<RunList::Run> many(RunList::kMost);
  for (int i = 0; i < RunList::kMost; ++i) many[static_cast<std::size_t>(i)].summary.prefix = i + 1;
  many[0].summary.name = "kept";
  runs.setRuns(many);
  runs.add(*analysisAt(3));
  ASSERT_EQ(runs.runs().size(), static_cast<std::size_t>(RunList::kMost));
  EXPECT_EQ(runLabel(runs.runs()[0].summary), "kept");
  EXPECT_EQ(runs.runs()[1].summary.prefix, 3) << "the second went";
  EXPECT_EQ(runs.current(), RunList::kMost - 1);
}

TEST(RunsOnTheScreen, AreChosenByAClickAndSayWhatTheySaveAndLose) {
  RunList runs;
  RunsPanel panel(&runs);
  panel.setCapture(test::plantedInfo());
  panel.resize(260, 300);
  panel.show();
  runs.add(*analysisAt(1));
  runs.add(*analysisAt(3));
  QSignalSpy chosen(&panel, &RunsPanel::runChosen);
  ASSERT_EQ(panel.list()->topLevelItemCount(), 2);
  EXPECT_EQ(panel.list()->currentItem(), panel.list()->topLevelItem(1));
  for (const int cell : {1, 2}) {
    EXPECT_FALSE(panel.list()->topLevelItem(0)->text(cell).isEmpty());
    EXPECT_NE(panel.list()->topLevelItem(0)->text(cell), "–");
  }
  QApplication::processEvents();
  QTest::mouseClick(panel.list()->viewport(), Qt::LeftButton, {},
                    panel.list()->visualItemRect(panel.list()->topLevelItem(0)).center());
  ASSERT_FALSE(chosen.isEmpty());
  EXPECT_EQ(chosen[0][0].toInt(), 0);
}

}  // namespace
}  // namespace qaq::views
