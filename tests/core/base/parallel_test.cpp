#include "core/base/parallel.h"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace qaq {
namespace {

// Runs each test with few and with many threads, and puts the default back.
class Parallel : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_thread_count(GetParam()); }
  void TearDown() override { set_thread_count(0); }
};

TEST_P(Parallel, EveryIndexIsCalledOnce) {
  for (const int n : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> calls(static_cast<std::size_t>(n));
    parallel_for(n, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
    for (const auto& each : calls) EXPECT_EQ(each, 1);
  }
}

TEST_P(Parallel, ANegativeCountCallsNothing) {
  parallel_for(-3, [](std::int64_t) { FAIL(); });
}

TEST_P(Parallel, AnExceptionOfABodyArrivesAfterAllHaveLeft) {
  std::atomic<int> inside{0};
  const auto run = [&] {
    parallel_for(64, [&](std::int64_t i) {
      ++inside;
      if (i == 13) {
        --inside;
        throw std::runtime_error("thirteen");
      }
      std::this_thread::yield();
      --inside;
    });
  };
  try {
    run();
    FAIL() << "nothing thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "thirteen");
  }
  EXPECT_EQ(inside, 0);
}

TEST_P(Parallel, MayBeNested) {
  std::vector<std::atomic<int>> calls(20 * 30);
  parallel_for(20, [&](std::int64_t i) {
    parallel_for(30, [&](std::int64_t j) { ++calls[static_cast<std::size_t>(30 * i + j)]; });
  });
  for (const auto& each : calls) EXPECT_EQ(each, 1);
}

// The caller waits without taking part, so another thread has to do it even where loops have one.
TEST_P(Parallel, WorkBesideIsDoneWhileTheCallerWaits) {
  for (int i = 0; i < 50; ++i) {
    const auto who = std::make_shared<std::promise<std::thread::id>>();
    auto answer = who->get_future();
    run_beside([who] { who->set_value(std::this_thread::get_id()); });
    EXPECT_NE(answer.get(), std::this_thread::get_id());
  }
}

TEST_P(Parallel, SaysHowManyThreadsItUses) {
  EXPECT_EQ(thread_count(), GetParam());
  set_thread_count(0);
  EXPECT_GE(thread_count(), 1);
}

INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 8));

}  // namespace
}  // namespace qaq
