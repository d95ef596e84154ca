// The runs that a capture's file keeps come onto the list beside what is replayed meanwhile.
#include "views/models/stored_runs.h"

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

TEST(StoredRuns, ComeFirstAndCountOnce) {
  Workspace workspace([](const std::string&, const Work&) { return test::plantedCapture(); });
  RunList list;
  QObject::connect(&workspace, &Workspace::opened, &list, [&] { list.reset({}); });
  QObject::connect(&workspace, &Workspace::changed, &list, [&] {
    const Analysis& analysis = *workspace.shown()->analysis;
    if (analysis.stage == Analysis::Stage::scores) list.add(analysis);
  });
  StoredRuns stored(&workspace, &list);
  stored.setReader([](const std::string& path, const Work&) {
    return std::vector{summary_of(*test::plantedAnalysis(withTarget(0.5))->replay, path)};
  });
  const auto open = [&](const QString& path) {
    workspace.open(path);
    return waitFor([&] {
      return workspace.path() == path && !workspace.isBusy() && stored.isSettled() &&
             !list.runs().empty() && list.runs()[0].summary.name == path.toStdString();
    });
  };
  ASSERT_TRUE(open("one.h5"));
  ASSERT_TRUE(waitFor([&] { return list.runs().size() == 2; }));
  EXPECT_TRUE(list.runs()[0].isStored);
  EXPECT_FALSE(list.runs()[1].isStored);
  EXPECT_EQ(list.current(), 1);
  workspace.setParams(withTarget(0.5), true);
  ASSERT_TRUE(waitFor([&] { return !workspace.isBusy(); }));
  EXPECT_EQ(list.runs().size(), 2u) << "that is the stored one";
  EXPECT_EQ(list.current(), 0);
  ASSERT_TRUE(open("two.h5"));
  EXPECT_EQ(list.runs().size(), 1u) << "nothing of the last capture; its setting is stored here";
}

}  // namespace
}  // namespace qaq::views
