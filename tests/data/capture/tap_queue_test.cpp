#include "data/capture/tap_queue.h"

#include <array>
#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/worker.h"

namespace qaq {
namespace {

// A block whose layer tells it apart. What owns it counts `gone` down when it is given back.
TapBlock owned_block(std::int64_t layer, std::latch& gone) {
  return {.layer = layer,
          .owner = std::shared_ptr<const void>(&gone, [&gone](const void*) { gone.count_down(); })};
}

TapBlock owned_block(std::int64_t layer) {
  return {.layer = layer, .owner = std::make_shared<int>()};
}

std::vector<std::int64_t> numbers_to(std::int64_t n) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < n; ++i) out.push_back(i);
  return out;
}

TEST(TapQueue, HandlesBlocksInOrderOneAtATime) {
  std::vector<std::int64_t> handled;
  std::atomic<int> at_work = 0;
  TapQueue queue([&](const TapBlock& block) {
    EXPECT_EQ(++at_work, 1);
    handled.push_back(block.layer);
    --at_work;
  });
  for (std::int64_t i = 0; i < 1000; ++i) queue.push(owned_block(i));
  queue.drain();
  EXPECT_EQ(handled, numbers_to(1000));
}

TEST(TapQueue, WorksOnAfterItWasEmpty) {
  std::vector<std::int64_t> handled;
  TapQueue queue([&](const TapBlock& block) { handled.push_back(block.layer); });
  queue.drain();
  for (std::int64_t i = 0; i < 3; ++i) {
    queue.push(owned_block(i));
    queue.drain();
    EXPECT_EQ(handled, numbers_to(i + 1));
  }
}

// Nothing is handled before `go`, which comes after the last push.
TEST(TapQueue, PushOfAnOwnedBlockDoesNotWait) {
  std::promise<void> go;
  std::vector<std::int64_t> handled;
  TapQueue queue([&, start = go.get_future().share()](const TapBlock& block) {
    start.wait();
    handled.push_back(block.layer);
  });
  for (std::int64_t i = 0; i < 5; ++i) queue.push(owned_block(i));
  go.set_value();
  queue.drain();
  EXPECT_EQ(handled, numbers_to(5));
}

TEST(TapQueue, HandlesWhereItIsToldTo) {
  Worker worker;
  const auto there = worker.run([] { return std::this_thread::get_id(); });
  TapQueue queue([&](const TapBlock&) { EXPECT_EQ(std::this_thread::get_id(), there); },
                 [&](std::function<void()> work) { worker.post(std::move(work)); });
  for (std::int64_t i = 0; i < 100; ++i) queue.push(owned_block(i));
  queue.drain();
}

TEST(TapQueue, LagsBehindOnceTheLargestBlockWaitsOrAllAreWaitedFor) {
  std::array<std::promise<void>, 3> go;
  std::vector<bool> lagged;
  TapQueue* the_queue = nullptr;
  std::latch begun(1);
  TapQueue queue([&](const TapBlock& block) {
    begun.count_down();
    go[static_cast<std::size_t>(block.layer)].get_future().wait();
    lagged.push_back(the_queue->lags_behind());
  });
  the_queue = &queue;
  const std::array<std::byte, 8> bytes{};
  const auto push = [&](std::int64_t layer, std::size_t n) {
    TapBlock block = owned_block(layer);
    block.bytes = std::span(bytes).first(n);
    queue.push(block);
  };
  EXPECT_FALSE(queue.lags_behind());
  push(0, 8);
  begun.wait();
  push(1, 2);
  EXPECT_FALSE(queue.lags_behind());
  push(2, 8);
  EXPECT_TRUE(queue.lags_behind());
  for (auto& each : go) each.set_value();
  queue.drain();
  EXPECT_FALSE(queue.lags_behind());
  ASSERT_EQ(lagged.size(), 3u);
  EXPECT_TRUE(lagged[0]) << "10 bytes wait";

  std::latch drained(1);
  TapQueue last([&](const TapBlock&) {
    drained.wait();
    lagged.push_back(the_queue->lags_behind());
  });
  the_queue = &last;
  last.push(owned_block(0));
  EXPECT_FALSE(last.lags_behind());
  const auto draining = std::async(std::launch::async, [&] { last.drain(); });
  while (!last.lags_behind()) std::this_thread::yield();
  drained.count_down();
}

// One thread that computes has another beside it that handles blocks.
TEST(TapQueue, WorksWhereOneThreadComputes) {
  set_thread_count(1);
  std::vector<std::int64_t> handled;
  TapQueue queue([&](const TapBlock& block) { handled.push_back(block.layer); });
  for (std::int64_t i = 0; i < 5; ++i) {
    queue.push(owned_block(i));
  }
  queue.push({.layer = 5});
  set_thread_count(0);
  EXPECT_EQ(handled, numbers_to(6));
}

TEST(TapQueue, ABlockWithoutOwnerIsHandledBeforePushReturns) {
  std::vector<std::int64_t> handled;
  TapQueue queue([&](const TapBlock& block) { handled.push_back(block.layer); });
  queue.push(owned_block(0));
  queue.push(owned_block(1));
  queue.push({.layer = 2});
  EXPECT_EQ(handled, numbers_to(3)) << "and all before it";
}

TEST(TapQueue, BlocksAreGivenBackOnceHandled) {
  std::latch gone(3);
  TapQueue queue([](const TapBlock&) {});
  for (std::int64_t i = 0; i < 3; ++i) queue.push(owned_block(i, gone));
  queue.drain();
  EXPECT_TRUE(gone.try_wait());
}

// Its engine may wait for the memory of this very block.
TEST(TapQueue, ABlockIsGivenBackBeforeTheNextIsHandled) {
  std::latch first_gone(1), last_gone(1);
  TapQueue queue([&](const TapBlock& block) {
    if (block.layer == 1) {
      EXPECT_TRUE(first_gone.try_wait());
    }
  });
  queue.push(owned_block(0, first_gone));
  queue.push(owned_block(1, last_gone));
  queue.drain();
}

void fail_at_two(const TapBlock& block) {
  if (block.layer == 2) throw std::runtime_error("the disk is full");
}

TEST(TapQueue, AFailureComesOutOfDrainAndOfEveryPushAfterIt) {
  std::vector<std::int64_t> handled;
  TapQueue queue([&](const TapBlock& block) {
    fail_at_two(block);
    handled.push_back(block.layer);
  });
  const auto owner = std::make_shared<int>();
  try {
    for (std::int64_t i = 0; i < 5; ++i) queue.push({.layer = i, .owner = owner});
  } catch (const std::runtime_error&) {
    // Known already while the last ones were pushed.
  }
  EXPECT_THROW(queue.drain(), std::runtime_error);
  EXPECT_THROW(queue.push(owned_block(5)), std::runtime_error);
  EXPECT_THROW(queue.push({.layer = 6}), std::runtime_error);
  EXPECT_THROW(queue.drain(), std::runtime_error);
  EXPECT_EQ(handled, numbers_to(2)) << "nothing is handled after a failure";
  EXPECT_EQ(owner.use_count(), 1) << "nothing is held after a failure";
}

TEST(TapQueue, AFailureOfABlockWithoutOwnerComesOutOfItsPush) {
  TapQueue queue(fail_at_two);
  queue.push({.layer = 1});
  try {
    queue.push({.layer = 2});
    FAIL() << "push returned";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the disk is full");
  }
}

// The first block is being handled until `go`; by then the four behind it are gone.
class TapQueueEnd : public testing::Test {
 protected:
  void push_five(TapQueue& queue) {
    queue.push(owned_block(0));
    begun_.wait();
    for (std::int64_t i = 1; i < 5; ++i) queue.push(owned_block(i, dropped_));
  }
  std::unique_ptr<TapQueue> make_queue() {
    return std::make_unique<TapQueue>([this](const TapBlock& block) {
      begun_.count_down();
      go_.get_future().wait();
      handled_.push_back(block.layer);
    });
  }
  std::latch begun_{1}, dropped_{4};
  std::promise<void> go_;
  std::vector<std::int64_t> handled_;
};

TEST_F(TapQueueEnd, StopDropsWhatWaitsAndLetsTheFirstEnd) {
  const auto queue = make_queue();
  push_five(*queue);
  const auto stopped = std::async(std::launch::async, [&] { queue->stop(); });
  dropped_.wait();
  go_.set_value();
  stopped.wait();
  EXPECT_EQ(handled_, numbers_to(1));
}

TEST_F(TapQueueEnd, TheDestructorStops) {
  auto queue = make_queue();
  push_five(*queue);
  const auto destroyed = std::async(std::launch::async, [&] { queue.reset(); });
  dropped_.wait();
  go_.set_value();
  destroyed.wait();
  EXPECT_EQ(handled_, numbers_to(1));
}

}  // namespace
}  // namespace qaq
