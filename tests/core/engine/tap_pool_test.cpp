#include "core/engine/tap_pool.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <latch>
#include <thread>
#include <vector>

namespace qaq {
namespace {

using Buffer = std::shared_ptr<float>;

constexpr std::int64_t kFloat = 4;

TEST(TapPool, ABufferComesBackAndIsUsedAgain) {
  TapPool pool(100 * kFloat);
  Buffer first = pool.take(60);
  std::fill_n(first.get(), 60, 1.0f);
  const float* where = first.get();
  first.reset();
  const Buffer again = pool.take(60);
  EXPECT_EQ(again.get(), where);
}

TEST(TapPool, BuffersThatAreHeldAreApart) {
  TapPool pool(100 * kFloat);
  const Buffer a = pool.take(50), b = pool.take(50);
  std::fill_n(a.get(), 50, 1.0f);
  std::fill_n(b.get(), 50, 2.0f);
  EXPECT_EQ(std::count(a.get(), a.get() + 50, 1.0f), 50);
}

TEST(TapPool, ABufferIsOutUntilTheLastCopyGoes) {
  TapPool pool(100 * kFloat);
  Buffer buffer = pool.take(60);
  const std::shared_ptr<const void> owner = buffer;
  const float* where = buffer.get();
  buffer.reset();
  EXPECT_NE(pool.take(40).get(), where) << "a copy is still held";
}

// The one who takes waits until there is room: `taken` cannot be ready before the buffer is given
// back, and is soon afterwards, or the test hangs.
TEST(TapPool, AtTheLimitTakingWaitsForOneToComeBack) {
  TapPool pool(100 * kFloat);
  Buffer held = pool.take(60);
  std::atomic<bool> given_back = false;
  std::future<bool> taken = std::async(std::launch::async, [&] {
    const Buffer next = pool.take(50);
    return given_back.load();
  });
  const Buffer rest = pool.take(40);  // there is room for this one
  given_back = true;
  held.reset();
  EXPECT_TRUE(taken.get()) << "60 and 50 were out at a time, of 100";
}

TEST(TapPool, NoMoreThanTheLimitIsOutHoweverManyTake) {
  TapPool pool(100 * kFloat);
  std::atomic<std::int64_t> out = 0, most = 0;
  std::latch start(4);
  std::vector<std::jthread> threads;
  for (const std::int64_t n : {60, 30, 45, 20}) {
    threads.emplace_back([&, n] {
      start.arrive_and_wait();
      for (int i = 0; i < 2000; ++i) {
        const Buffer buffer = pool.take(n);
        const std::int64_t now = out += n;
        for (std::int64_t seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        out -= n;
      }
    });
  }
  threads.clear();  // joins
  EXPECT_LE(most, 100);
  EXPECT_GE(most, 60);
}

TEST(TapPool, EveryoneWhoWaitsGoesOnWhenThereIsRoom) {
  TapPool pool(100 * kFloat);
  Buffer most = pool.take(90), rest = pool.take(10);
  // The first wants more than will be free, the second just that.
  std::future<void> large = std::async(std::launch::async, [&] { pool.take(100); });
  std::future<void> small = std::async(std::launch::async, [&] { pool.take(10); });
  rest.reset();
  small.get();
  most.reset();
  large.get();
}

TEST(TapPool, OneLargerThanTheLimitIsGivenAlone) {
  TapPool pool(100 * kFloat);
  Buffer small = pool.take(1);
  std::atomic<bool> given_back = false;
  std::future<bool> large = std::async(std::launch::async, [&] {
    const Buffer buffer = pool.take(1000);
    std::fill_n(buffer.get(), 1000, 1.0f);
    return given_back.load();
  });
  given_back = true;
  small.reset();
  EXPECT_TRUE(large.get());
}

TEST(TapPool, BuffersOutliveThePool) {
  Buffer kept;
  {
    TapPool pool(100 * kFloat);
    kept = pool.take(60);
  }
  std::fill_n(kept.get(), 60, 1.0f);
  EXPECT_EQ(kept.get()[59], 1.0f);
}

TEST(TapPool, BuffersMayComeBackFromAnotherThread) {
  TapPool pool(10 * kFloat);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 50; ++i) {
    Buffer buffer = pool.take(10);
    buffer.get()[0] = static_cast<float>(i);
    threads.emplace_back([held = std::move(buffer), i] { EXPECT_EQ(held.get()[0], i); });
  }
}

// What is kept for later counts, too: a plan says how much taps take, in use or not.
TEST(TapPool, WhatIsKeptForLaterIsWithinTheLimit) {
  TapPool pool(100 * kFloat);
  for (const std::int64_t n : {30, 40, 50, 60, 20, 100, 10}) {
    Buffer a = pool.take(n);
    EXPECT_LE(pool.bytes(), 100 * kFloat) << n;
    if (n <= 50) {
      const Buffer b = pool.take(n);
      EXPECT_LE(pool.bytes(), 100 * kFloat) << n << " twice";
    }
  }
}

// Decoding taps one row more each time: sizes that do not come again.
TEST(TapPool, ManySizesLeaveFewBuffers) {
  TapPool pool(1'000'000 * kFloat);
  for (std::int64_t n = 1; n <= 300; ++n) pool.take(n);
  EXPECT_LE(pool.bytes(), 20 * 300 * kFloat);
}

}  // namespace
}  // namespace qaq
