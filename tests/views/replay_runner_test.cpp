// Work off the window's thread: the newest request wins, and closing waits for nobody.
#include "views/models/replay_runner.h"

#include <QSignalSpy>
#include <atomic>
#include <gtest/gtest.h>
#include <latch>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using test::plantedCapture;
using test::waitFor;

TEST(LatestJob, OnlyTheNewestOfThoseThatWaitRuns) {
  std::latch running(1), go(1);
  std::vector<int> ran;
  std::latch last(1);
  LatestJob job(std::chrono::hours(1));
  job.submit([&](const std::stop_token&) {
    running.count_down();
    go.wait();
    ran.push_back(0);
  });
  running.wait();
  for (int i = 1; i <= 100; ++i) {
    job.submit([&, i](const std::stop_token&) {
      ran.push_back(i);
      last.count_down();
    });
  }
  go.count_down();
  last.wait();
  EXPECT_EQ(ran, (std::vector<int>{0, 100}));
}

TEST(LatestJob, ANewerRequestStopsAJobThatTriesPatience) {
  std::latch running(1), second(1);
  std::atomic<bool> stopped = false;
  LatestJob job(std::chrono::milliseconds(0));
  job.submit([&](const std::stop_token& stop) {
    running.count_down();
    while (!stop.stop_requested()) std::this_thread::yield();
    stopped = true;
  });
  running.wait();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  job.submit([&](const std::stop_token&) { second.count_down(); });
  second.wait();
  EXPECT_TRUE(stopped);
}

TEST(LatestJob, ClosingStopsWhatRunsAndDropsWhatWaits) {
  std::latch running(1);
  bool waited_ran = false;
  {
    LatestJob job;
    job.submit([&](const std::stop_token& stop) {
      running.count_down();
      while (!stop.stop_requested()) std::this_thread::yield();
    });
    running.wait();
    job.submit([&](const std::stop_token&) { waited_ran = true; });
  }
  EXPECT_FALSE(waited_ran);
}

/// A capture that counts how often its keys are read, and can hold the reader up.
class SlowCapture : public CaptureView {
 public:
  explicit SlowCapture(SharedCapture inner) : m_inner(std::move(inner)) {}
  const CaptureInfo& info() const override { return m_inner->info(); }
  SharedArray<float, 3> key(std::int64_t layer) const override {
    ++reads;
    entered.test_and_set();
    entered.notify_all();
    while (held) std::this_thread::yield();
    return m_inner->key(layer);
  }
  SharedArray<float, 3> value(std::int64_t layer) const override { return m_inner->value(layer); }
  SharedArray<float, 3> query(std::int64_t layer) const override { return m_inner->query(layer); }
  SharedArray<float, 3> attention(std::int64_t layer, std::int64_t row,
                                  std::int64_t n) const override {
    return m_inner->attention(layer, row, n);
  }

  mutable std::atomic<int> reads = 0;
  mutable std::atomic_flag entered;
  std::atomic<bool> held = false;

 private:
  SharedCapture m_inner;
};

AnalysisRequest requestFor(const SharedCapture& capture, double target) {
  AnalysisRequest request{.capture = capture};
  set_parameter(request.params, "target_quantization_error", target);
  return request;
}

TEST(ReplayRunner, TheLastOfManyRequestsIsTheResult) {
  auto capture = std::make_shared<SlowCapture>(plantedCapture());
  analyse(requestFor(capture, 1));
  const int reads_of_one = capture->reads.exchange(0);
  capture->held = true;
  ReplayRunner runner;
  std::vector<SharedAnalysis> results;
  QObject::connect(&runner, &ReplayRunner::finished, &runner,
                   [&](const SharedAnalysis& analysis) { results.push_back(analysis); });
  runner.request(requestFor(capture, 1));
  capture->entered.wait(false);
  for (int i = 0; i < 50; ++i) runner.request(requestFor(capture, 0.01 + 0.001 * i));
  EXPECT_TRUE(runner.busy());
  EXPECT_TRUE(results.empty());
  capture->held = false;
  ASSERT_TRUE(waitFor([&] { return !runner.busy(); }));
  EXPECT_LE(capture->reads, 2 * reads_of_one)
      << "of 51 requests the first is begun and the last replayed";
  EXPECT_EQ(results.back()->params.qaq.key.target_quantization_error, 0.01 + 0.001 * 49);
  const auto fresh = analyse(requestFor(capture, 0.01 + 0.001 * 49));
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto& got = results.back()->cache(side).bits.span();
    const auto& want = fresh->cache(side).bits.span();
    EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin(), want.end()));
  }
}

TEST(ReplayRunner, ARefusalSaysWhyAndTheNextRequestWorks) {
  const auto capture = plantedCapture();
  ReplayRunner runner;
  QSignalSpy failed(&runner, &ReplayRunner::failed);
  QSignalSpy finished(&runner, &ReplayRunner::finished);
  AnalysisRequest wrong{.capture = capture};
  set_parameter(wrong.params, "n_bits_min", std::int64_t{9});
  runner.request(wrong);
  ASSERT_TRUE(waitFor([&] { return !runner.busy(); }));
  ASSERT_EQ(failed.count(), 1);
  EXPECT_TRUE(failed.first().first().toString().contains("n_bits_min"));
  EXPECT_EQ(finished.count(), 0);
  runner.request({.capture = capture});
  ASSERT_TRUE(waitFor([&] { return !runner.busy(); }));
  EXPECT_GT(finished.count(), 0);
}

TEST(ReplayRunner, BitsComeFirstThenErrorsThenViolationsThenErrorsOfScores) {
  const auto capture = plantedCapture();
  ReplayRunner runner;
  std::vector<SharedAnalysis> results;
  QObject::connect(&runner, &ReplayRunner::finished, &runner,
                   [&](const SharedAnalysis& analysis) { results.push_back(analysis); });
  const auto stages = [&] {
    std::vector<Analysis::Stage> all;
    for (const SharedAnalysis& result : results) all.push_back(result->stage);
    return all;
  };
  using Stage = Analysis::Stage;
  AnalysisRequest preview = requestFor(capture, 1);
  preview.through = Stage::violations;  // a slider is dragged
  runner.request(preview);
  ASSERT_TRUE(waitFor([&] { return !runner.busy(); }));
  EXPECT_EQ(stages(), (std::vector{Stage::bits, Stage::errors, Stage::violations}));
  results.clear();
  runner.request(requestFor(capture, 1));
  ASSERT_TRUE(waitFor([&] { return !runner.busy(); }));
  EXPECT_EQ(stages(), (std::vector{Stage::bits, Stage::errors, Stage::violations, Stage::scores}));
  const auto whole = analyse(requestFor(capture, 1));
  EXPECT_TRUE(results[0]->replay->key.error.span().empty());
  EXPECT_EQ(results[0]->replay->key.packed, whole->replay->key.packed);
  EXPECT_EQ(results[0]->key.bits, results[3]->key.bits) << "drawn once";
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto want = whole->cache(side).bits.span();
    for (const SharedAnalysis& result : results) {
      const auto got = result->cache(side).bits.span();
      EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin(), want.end()));
    }
  }
  EXPECT_EQ(results[1]->replay->mean_output_error, std::nullopt);
  EXPECT_EQ(results[3]->replay->mean_output_error, whole->replay->mean_output_error);
}

TEST(ReplayRunner, ACancelledRequestIsNotAnswered) {
  auto capture = std::make_shared<SlowCapture>(plantedCapture());
  capture->held = true;
  ReplayRunner runner;
  QSignalSpy finished(&runner, &ReplayRunner::finished);
  QSignalSpy settled(&runner, &ReplayRunner::settled);
  runner.request({.capture = capture});
  capture->entered.wait(false);
  runner.cancel();
  EXPECT_FALSE(runner.busy());
  EXPECT_EQ(settled.count(), 1);
  capture->held = false;
  runner.request(requestFor(capture, 2));
  ASSERT_TRUE(waitFor([&] { return !runner.busy(); }));
  EXPECT_EQ(finished.count(), 4) << "only the stages of the request after it";
}

TEST(ReplayRunner, ClosingInTheMiddleOfAReplayJoins) {
  auto capture = std::make_shared<SlowCapture>(plantedCapture());
  capture->held = true;
  auto runner = std::make_unique<ReplayRunner>();
  bool answered = false;
  QObject::connect(runner.get(), &ReplayRunner::finished, [&] { answered = true; });
  runner->request({.capture = capture});
  capture->entered.wait(false);
  const int reads = capture->reads;
  std::jthread release([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    capture->held = false;
  });
  runner.reset();
  QApplication::processEvents();
  EXPECT_FALSE(answered);
  EXPECT_LE(capture->reads, reads + 2) << "it stopped, and did not replay to the end";
}

TEST(Analysis, ViolationsAreTakenOverWhereNothingTheyDependOnChanged) {
  const auto capture = plantedCapture();
  const auto first = analyse({.capture = capture});
  const auto other_bits = analyse(requestFor(capture, 0.1), first);
  EXPECT_EQ(other_bits->violations, first->violations);
  AnalysisRequest stricter{.capture = capture};
  set_parameter(stricter.params, "violation_ratio", 100.0);
  const auto second = analyse(stricter, first);
  EXPECT_EQ(second->violations->violations.size(), 0u);
  AnalysisRequest wider{.capture = capture};
  set_parameter(wider.params, "value.last_n_attentions", std::int64_t{9});
  EXPECT_EQ(analyse(wider, first)->violations->window, 9);
}

}  // namespace
}  // namespace qaq::views
