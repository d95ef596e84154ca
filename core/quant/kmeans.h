#pragma once

#include <cstdint>
#include <vector>

namespace qaq {

/// Numbers from -1 to 1, in the order of their size: in bins of 2^-15, each a point at the mean of
/// what lies in it. Adding needs no memory of the numbers, and clusters of bins differ from those
/// of numbers by less than a bin at their ends.
class UnitPoints {
 public:
  UnitPoints();
  void add(float z);

  std::int64_t size() const { return size_; }
  double sum() const { return sum_; }
  double squares() const { return squares_; }

 private:
  friend class BinnedLine;
  struct Bin {
    std::int64_t count = 0;
    double sum = 0;
  };
  std::vector<Bin> bins_;
  std::int64_t size_ = 0;
  double sum_ = 0, squares_ = 0;
};

/// Clusters of points on a line, ascending.
struct Clusters {
  std::vector<float> centroids;
  std::vector<std::int64_t> counts;  ///< points nearest to each
};

/// k-means with k clusters: at most 50 of Lloyd's iterations (1982). It starts where the density of
/// centroids goes with the cube root of the density of points, which is the best for many (Panter
/// and Dite 1951), so that nothing is drawn and the result is always the same. A cluster without
/// points keeps its start; without any points the centroids are evenly spaced.
Clusters kmeans(const UnitPoints& points, int k);

}  // namespace qaq
