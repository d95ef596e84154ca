#include "core/base/progress.h"

#include <gtest/gtest.h>
#include <vector>

#include "core/base/error.h"

namespace qaq {
namespace {

TEST(Work, TheDefaultReportsToNobodyAndNeverStops) {
  const Work work;
  work.report({.stage = "load", .done = 1, .total = 2, .unit = "layers"});
  EXPECT_FALSE(work.stopped());
  EXPECT_NO_THROW(work.throw_if_stopped());
}

TEST(Work, ReportsToItsProgress) {
  struct Recorder : Progress {
    std::vector<std::int64_t> done;
    void update(const ProgressState& state) override { done.push_back(state.done); }
  } recorder;
  const Work work(&recorder);
  work.report({.stage = "load", .done = 1, .total = 2, .unit = "layers"});
  const Work copy = work;
  copy.report({.stage = "load", .done = 2, .total = 2, .unit = "layers"});
  EXPECT_EQ(recorder.done, (std::vector<std::int64_t>{1, 2}));
}

TEST(Work, StopsWhenAsked) {
  std::stop_source source;
  const Work work(nullptr, source.get_token());
  EXPECT_NO_THROW(work.throw_if_stopped());
  source.request_stop();
  EXPECT_TRUE(work.stopped());
  try {
    work.throw_if_stopped();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

}  // namespace
}  // namespace qaq
