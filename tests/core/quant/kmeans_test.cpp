#include "core/quant/kmeans.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

namespace qaq {
namespace {

Clusters clusters_of(const std::vector<float>& values, int k) {
  UnitPoints points;
  for (const float z : values) points.add(z);
  return kmeans(points, k);
}

TEST(Kmeans, ClearClustersAreFound) {
  const Clusters found = clusters_of({-1, -0.75f, 0.25f, 0.5f, 1, 1, 1}, 3);
  EXPECT_EQ(found.centroids, (std::vector<float>{-0.875f, 0.375f, 1}));
  EXPECT_EQ(found.counts, (std::vector<std::int64_t>{2, 2, 3}));
}

TEST(Kmeans, FewOrNoPointsGiveAscendingCentroids) {
  EXPECT_EQ(clusters_of({}, 4).centroids, (std::vector<float>{-0.75f, -0.25f, 0.25f, 0.75f}));
  for (const std::vector<float>& values :
       {std::vector<float>{0.5f}, {1}, {-1}, {0.5f, 0.5f, 0.5f}, {-1, 1}}) {
    const Clusters found = clusters_of(values, 16);
    EXPECT_TRUE(std::ranges::is_sorted(found.centroids));
    EXPECT_EQ(std::accumulate(found.counts.begin(), found.counts.end(), std::int64_t{0}),
              std::ssize(values));
    for (const float z : values) {
      EXPECT_EQ(std::ranges::count(found.centroids, z), 1) << "a point alone is a centroid";
    }
  }
}

// Lloyd-Max of a uniform density: k equal steps.
TEST(Kmeans, UniformPointsGiveEqualSteps) {
  std::vector<float> values(100000);
  std::mt19937 bits(3);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (float& z : values) z = uniform(bits);
  const Clusters found = clusters_of(values, 4);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(found.centroids[i], -0.75 + 0.5 * static_cast<double>(i), 0.02);
  }
}

}  // namespace
}  // namespace qaq
