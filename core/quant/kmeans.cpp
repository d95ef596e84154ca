#include "core/quant/kmeans.h"

#include <algorithm>
#include <cmath>

namespace qaq {

namespace {

constexpr std::size_t kBins = 1 << 16;
constexpr std::size_t kCoarse = 256;  // bins that tell the density
constexpr int kIterations = 50;

}  // namespace

UnitPoints::UnitPoints() : bins_(kBins) {}

void UnitPoints::add(float z) {
  const float at = (z + 1.0f) * (kBins / 2);
  Bin& bin = bins_[std::min(kBins - 1, static_cast<std::size_t>(std::max(at, 0.0f)))];
  const auto exact = static_cast<double>(z);
  ++bin.count;
  bin.sum += exact;
  ++size_;
  sum_ += exact;
  squares_ += exact * exact;
}

// Bins that hold something, and how much lies before each.
class BinnedLine {
 public:
  explicit BinnedLine(const UnitPoints& points) : density_(kCoarse) {
    counts_.push_back(0);
    sums_.push_back(0);
    for (std::size_t i = 0; i < kBins; ++i) {
      const auto& [count, sum] = points.bins_[i];
      if (count == 0) continue;
      means_.push_back(sum / static_cast<double>(count));
      counts_.push_back(counts_.back() + count);
      sums_.push_back(sums_.back() + sum);
      density_[i / (kBins / kCoarse)] += static_cast<double>(count);
    }
  }

  // Where a cluster of centroids `c` ends: bins up to the middle to the next one belong to it.
  std::vector<std::size_t> ends(const std::vector<double>& c) const {
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i + 1 < c.size(); ++i) {
      const double middle = (c[i] + c[i + 1]) / 2;
      const auto end = std::upper_bound(means_.begin(), means_.end(), middle);
      ends.push_back(static_cast<std::size_t>(end - means_.begin()));
    }
    ends.push_back(means_.size());
    return ends;
  }
  std::int64_t count(std::size_t first, std::size_t end) const {
    return counts_[end] - counts_[first];
  }
  double sum(std::size_t first, std::size_t end) const { return sums_[end] - sums_[first]; }

  std::vector<double> start(int k) const {
    std::vector<double> before(kCoarse + 1);
    for (std::size_t i = 0; i < kCoarse; ++i) before[i + 1] = before[i] + std::cbrt(density_[i]);
    std::vector<double> out;
    std::size_t bin = 0;
    for (int i = 0; i < k; ++i) {
      const double share = (i + 0.5) / k;
      double place = share * kCoarse;  // without points: evenly spaced
      if (before.back() > 0) {
        const double at = share * before.back();
        while (before[bin + 1] < at) ++bin;
        place = static_cast<double>(bin) + (at - before[bin]) / (before[bin + 1] - before[bin]);
      }
      out.push_back(place / (kCoarse / 2) - 1);
    }
    return out;
  }

 private:
  std::vector<double> means_, sums_, density_;
  std::vector<std::int64_t> counts_;
};

Clusters kmeans(const UnitPoints& points, int k) {
  const BinnedLine line(points);
  std::vector<double> centroids = line.start(k);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const std::vector<double> last = centroids;
    std::size_t first = 0, i = 0;
    for (const std::size_t end : line.ends(last)) {
      const std::int64_t count = line.count(first, end);
      if (count > 0) centroids[i] = line.sum(first, end) / static_cast<double>(count);
      first = end;
      ++i;
    }
    if (centroids == last) break;
  }
  Clusters out;
  std::size_t first = 0;
  for (const std::size_t end : line.ends(centroids)) {
    out.counts.push_back(line.count(first, end));
    first = end;
  }
  for (const double c : centroids) out.centroids.push_back(static_cast<float>(c));
  return out;
}

}  // namespace qaq
