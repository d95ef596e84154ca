#include "data/capture/array_cache.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace qaq {
namespace {

/// `n` floats of the given value.
ArrayCache::Array array_of(std::int64_t n, float value) {
  return std::make_shared<const NdArray<float, 3>>(Shape<3>{1, 1, n}, value);
}

class Cache : public testing::Test {
 protected:
  /// Asks for the key's array of 10 floats and tells whether it had to be made.
  bool misses(std::int64_t layer) {
    bool made = false;
    const auto array = cache_.get({0, layer, 0, 10}, [&] {
      made = true;
      return array_of(10, static_cast<float>(layer));
    });
    EXPECT_EQ((*array)(0, 0, 0), static_cast<float>(layer));
    return made;
  }
  ArrayCache cache_{3 * 10 * 4};
};

TEST_F(Cache, LetsGoOfWhatWasUsedLongestAgo) {
  EXPECT_TRUE(misses(1));
  EXPECT_TRUE(misses(2));
  EXPECT_TRUE(misses(3));
  EXPECT_FALSE(misses(1));
  EXPECT_TRUE(misses(4));  // 2 goes
  EXPECT_FALSE(misses(1));
  EXPECT_FALSE(misses(3));
  EXPECT_FALSE(misses(4));
  EXPECT_TRUE(misses(2));
}

TEST_F(Cache, DoesNotKeepWhatIsLargerThanAll) {
  EXPECT_TRUE(misses(1));
  EXPECT_EQ(cache_.get({1, 0, 0, 1}, [] { return array_of(31, 7); })->size(), 31);
  EXPECT_FALSE(misses(1));
}

TEST_F(Cache, AMakerThatThrowsLeavesNothing) {
  EXPECT_THROW(cache_.get({0, 1, 0, 10}, []() -> ArrayCache::Array { throw 1; }), int);
  EXPECT_TRUE(misses(1));
}

TEST_F(Cache, ServesManyThreads) {
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int step = 0; step < 500; ++step) {
          const std::int64_t layer = (step * 7 + i) % 6;
          const auto array = cache_.get({0, layer, 0, 10},
                                        [&] { return array_of(10, static_cast<float>(layer)); });
          if ((*array)(0, 0, 9) != static_cast<float>(layer)) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace qaq
