#include "core/analysis/shortest_prefix.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace qaq {
namespace {

struct Counted {
  PrefixFound found;
  int calls = 0;
};

Counted find(const PrefixSearch& search, std::int64_t shortest) {
  Counted out;
  out.found = shortest_prefix(search, [&](std::int64_t length) {
    ++out.calls;
    EXPECT_GE(length, 1);
    EXPECT_LT(length, search.n) << "that the whole holds is known";
    return length >= shortest;
  });
  return out;
}

TEST(ShortestPrefix, EveryLengthIsFoundExactlyWithoutTolerance) {
  for (std::int64_t n = 1; n <= 40; ++n) {
    for (std::int64_t shortest = 1; shortest <= n; ++shortest) {
      const Counted out = find({.n = n, .tolerance = 0}, shortest);
      EXPECT_EQ(out.found.holds, shortest);
      EXPECT_EQ(out.found.fails, shortest - 1);
      EXPECT_LE(out.calls, 8) << n << ", " << shortest;
    }
  }
}

TEST(ShortestPrefix, AShortOneIsFoundInFewCalls) {
  EXPECT_EQ(find({.n = 46080}, 1).calls, 1);
  EXPECT_EQ(find({.n = 1}, 1).calls, 0);
  EXPECT_EQ(find({.n = 2}, 2).calls, 1);
}

// 46080 cells: 1, 8, 64, 512, 4096, 32768, then a bisection of a factor of 8 down to a tenth.
TEST(ShortestPrefix, ALongOneIsFoundToATenth) {
  for (const std::int64_t shortest : {9, 700, 5000, 46000, 46080}) {
    const Counted out = find({.n = 46080}, shortest);
    EXPECT_GE(out.found.holds, shortest);
    EXPECT_LT(out.found.fails, shortest);
    EXPECT_LE(static_cast<double>(out.found.holds - out.found.fails),
              std::max(1.0, 0.1 * static_cast<double>(out.found.holds)));
    EXPECT_LE(out.calls, 11) << shortest;
  }
}

}  // namespace
}  // namespace qaq
