// Draws as Python makes them. The numbers are what python3 (3.11) prints for
//   random.seed(SEED); random.sample(range(N), K)
#include "core/evaluate/random_sample.h"

#include <gtest/gtest.h>
#include <set>

namespace qaq {
namespace {

using Draw = std::vector<std::int64_t>;

TEST(RandomSample, DrawsWhatPythonDraws) {
  EXPECT_EQ(random_sample(42, 200, 5), (Draw{163, 28, 6, 189, 70}));
  EXPECT_EQ(random_sample(42, 200, 10), (Draw{163, 28, 6, 189, 70, 62, 57, 35, 188, 26}));
  EXPECT_EQ(random_sample(42, 1838, 12),
            (Draw{1309, 228, 51, 1518, 563, 501, 457, 285, 1508, 209, 1385, 1516}));
  EXPECT_EQ(random_sample(42, 10042, 8), (Draw{1824, 409, 4506, 4012, 3657, 2286, 1679, 8935}));
  EXPECT_EQ(random_sample(0, 9, 9), (Draw{6, 8, 0, 2, 4, 3, 1, 5, 7}));
  EXPECT_EQ(random_sample(1, 30, 30),
            (Draw{4, 18, 27, 25, 24, 2,  8, 3,  15, 14, 21, 12, 6,  22, 19,
                  0, 13, 17, 28, 9,  20, 7, 29, 5,  1,  23, 10, 11, 16, 26}));
  EXPECT_EQ(random_sample(4294967295, 100000, 6), (Draw{83277, 81208, 26633, 28225, 79608, 68471}));
  EXPECT_EQ(random_sample(43, 1, 1), Draw{0});
  EXPECT_EQ(random_sample(42, 5, 0), Draw{});
}

TEST(RandomSample, AtTheSizeWherePythonChangesItsWay) {
  EXPECT_EQ(random_sample(7, 85, 6), (Draw{41, 19, 50, 6, 9, 68})) << "the largest pool";
  EXPECT_EQ(random_sample(7, 86, 6), (Draw{41, 19, 50, 83, 6, 9})) << "a set of what was taken";
}

TEST(RandomSample, ManyAreDrawnAsPythonDoes) {
  const auto check = [](std::int64_t n, std::int64_t k, const Draw& last, std::int64_t sum) {
    const Draw draw = random_sample(42, n, k);
    std::int64_t found = 0;
    for (std::size_t i = 0; i < draw.size(); ++i) found += static_cast<std::int64_t>(i) * draw[i];
    EXPECT_EQ(found, sum) << "of place times number";
    EXPECT_EQ(Draw(draw.end() - 4, draw.end()), last);
    EXPECT_EQ(std::set(draw.begin(), draw.end()).size(), static_cast<std::size_t>(k));
  };
  check(10042, 1000, {6226, 5188, 7994, 8864}, 2600578837);
  check(3000, 2500, {2321, 2571, 2548, 2688}, 4721537881);
}

}  // namespace
}  // namespace qaq
