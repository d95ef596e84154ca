// The runs of the open capture: what its file holds, then every setting that became whole, once.
#include "views/models/run_history.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using test::waitFor;

ScopeParams withTarget(double target) {
  ScopeParams params;
  params.qaq.value.target_quantization_error = target;
  return params;
}

TEST(RunHistory, GathersStoredRunsAndWhatIsReplayedWhole) {
  Workspace workspace([](const std::string&, const Work&) { return test::plantedCapture(); });
  RunHistory history(&workspace);
  history.setReader([](const std::string& path, const Work&) {
    return std::vector{summary_of(*test::plantedAnalysis(withTarget(0.5))->replay, path)};
  });
  EXPECT_TRUE(history.runs()->empty());
  workspace.open("planted.h5");
  ASSERT_TRUE(waitFor([&] {
    return workspace.shown() && !workspace.isBusy() && history.isSettled() &&
           history.runs()->size() == 2;
  }));
  EXPECT_EQ((*history.runs())[0].name, "planted.h5") << "stored ones first";
  EXPECT_EQ((*history.runs())[1].metrics.at("ratio_packed"),
            workspace.shown()->analysis->replay->ratio_packed);

  workspace.setParams(withTarget(0.2), false);  // a slider is dragged
  ASSERT_TRUE(waitFor([&] { return !workspace.isBusy(); }));
  EXPECT_EQ(history.runs()->size(), 2u) << "a preview is no run";
  workspace.setParams(withTarget(0.2), true);
  ASSERT_TRUE(waitFor([&] { return !workspace.isBusy(); }));
  EXPECT_EQ(history.runs()->size(), 3u);
  workspace.setParams(withTarget(0.5), true);
  ASSERT_TRUE(waitFor([&] { return !workspace.isBusy(); }));
  EXPECT_EQ(history.runs()->size(), 3u) << "the stored one";

  workspace.open("other.h5");
  ASSERT_TRUE(waitFor([&] {
    return !workspace.isBusy() && history.isSettled() && !history.runs()->empty() &&
           history.runs()->front().name == "other.h5";
  }));
  EXPECT_EQ(history.runs()->size(), 1u) << "runs are of one capture; its setting is the stored one";
}

}  // namespace
}  // namespace qaq::views
