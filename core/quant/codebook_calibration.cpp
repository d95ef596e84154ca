#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/base/parallel.h"
#include "core/quant/codebook_codec.h"
#include "core/quant/kmeans.h"
#include "core/quant/row_kernels.h"
#include "core/quant/select_ranks.h"

namespace qaq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Ends of many rows or columns.
struct Ends {
  explicit Ends(std::int64_t n)
      : lower(static_cast<std::size_t>(n)), upper(static_cast<std::size_t>(n)) {}
  void set(std::int64_t i, const PercentileEnds& ends) {
    lower[static_cast<std::size_t>(i)] = ends.lower;
    upper[static_cast<std::size_t>(i)] = ends.upper;
  }
  std::vector<float> lower, upper;
};

// Of each channel. Rows are read in order, a cache line of channels at a time.
Ends ends_of_channels(double threshold, const CacheLayer& input, std::int64_t n_tokens) {
  constexpr std::int64_t kLine = 16;
  const std::int64_t head_dim = input.shape(2), n_lines = (head_dim + kLine - 1) / kLine;
  Ends ends(input.shape(0) * head_dim);
  parallel_for(input.shape(0) * n_lines, [&](std::int64_t i) {
    const std::int64_t head = i / n_lines, first = i % n_lines * kLine;
    const std::int64_t n = std::min(kLine, head_dim - first);
    NdArray<float, 2> columns({n, n_tokens});
    for (std::int64_t token = 0; token < n_tokens; ++token) {
      const float* const row = input.sub(head, token).data() + first;
      for (std::int64_t c = 0; c < n; ++c) columns(c, token) = row[c];
    }
    for (std::int64_t c = 0; c < n; ++c) {
      ends.set(head * head_dim + first + c, percentile_ends(columns.sub(c).span(), threshold));
    }
  });
  return ends;
}

// Of each token over all heads.
Ends ends_of_tokens(double threshold, const CacheLayer& input, std::int64_t n_tokens) {
  constexpr std::int64_t kTogether = 16;
  Ends ends(n_tokens);
  parallel_for((n_tokens + kTogether - 1) / kTogether, [&](std::int64_t i) {
    std::vector<float> row;
    for (std::int64_t token = i * kTogether; token < std::min(n_tokens, (i + 1) * kTogether);
         ++token) {
      row.clear();
      for (std::int64_t head = 0; head < input.shape(0); ++head) {
        const auto values = input.sub(head, token).span();
        row.insert(row.end(), values.begin(), values.end());
      }
      ends.set(token, percentile_ends(row, threshold));
    }
  });
  return ends;
}

// What the first few tokens leave of values between their ends, normalised. In one order, so that
// sums are always the same.
UnitPoints inliers(const CodebookSpec& spec, const CacheLayer& input, std::int64_t n_tokens,
                   const Ends& ends) {
  UnitPoints points;
  const std::int64_t head_dim = input.shape(2);
  for (std::int64_t head = 0; head < input.shape(0); ++head) {
    for (std::int64_t token = spec.first_few_fp16; token < n_tokens; ++token) {
      const float* const row = input.sub(head, token).data();
      for (std::int64_t c = 0; c < head_dim; ++c) {
        const auto at =
            static_cast<std::size_t>(spec.axis == GroupAxis::token ? token : head * head_dim + c);
        const float lower = ends.lower[at], upper = ends.upper[at];
        const float radius = (upper - lower) / 2;
        if (row[c] < lower || row[c] > upper || !(radius > 0)) continue;
        points.add(std::clamp((row[c] - (upper + lower) / 2) / radius, -1.0f, 1.0f));
      }
    }
  }
  return points;
}

// Q-Norm: what centroids are moved and stretched by, so that their mean and deviation over the
// points become those of the points.
void normalise(const UnitPoints& points, const Clusters& clusters, Codebook& book) {
  const auto n = static_cast<double>(points.size());
  if (n == 0) return;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < clusters.centroids.size(); ++i) {
    const auto c = static_cast<double>(clusters.centroids[i]);
    const auto count = static_cast<double>(clusters.counts[i]);
    sum += count * c;
    squares += count * c * c;
  }
  const auto deviation = [n](double s, double s2) {
    return std::sqrt(std::max(0.0, s2 / n - s / n * (s / n)));
  };
  const double after = deviation(sum, squares);
  const double scale = after > 0 ? deviation(points.sum(), points.squares()) / after : 1.0;
  book.norm_scale = static_cast<float>(scale);
  book.norm_offset = static_cast<float>(points.sum() / n - sum / n * scale);
}

// The rank-th smallest value, given the one before it.
float next_above(std::span<const float> values, float before, std::int64_t rank) {
  const std::int64_t above = inlier_extent(values, before, kInfinity).count;
  if (std::ssize(values) - above >= rank) return before;
  return smallest_above(values, before).value;
}

// The rank-th smallest value, given the one behind it.
float next_below(std::span<const float> values, float behind, std::int64_t rank) {
  const std::int64_t below =
      inlier_extent(values, -kInfinity, std::nextafter(behind, -kInfinity)).count;
  return below >= rank ? largest_below(values, behind).value : behind;
}

// Between two neighbours of the order, as numpy's percentile has it.
float between(float a, float b, double share) {
  return static_cast<float>(a + (static_cast<double>(b) - a) * share);
}

}  // namespace

PercentileEnds percentile_ends(std::span<const float> values, double sparsity_threshold) {
  assert(!values.empty());
  const auto n = static_cast<std::int64_t>(values.size());
  const double high = 1 - (1 - sparsity_threshold) / 2, last = static_cast<double>(n - 1);
  const double from = (1 - high) * last, to = high * last;
  const double from_whole = std::floor(from), to_whole = std::floor(to);
  // 1-based ranks of the neighbours.
  const auto lower = static_cast<std::int64_t>(from_whole) + 1;
  const auto upper = static_cast<std::int64_t>(to_whole) + 1;
  const std::int64_t after_lower = std::min(lower + 1, n), after_upper = std::min(upper + 1, n);
  const RankValues outer = select_ranks(values, lower, after_upper);
  const RankValues inner{next_above(values, outer.low, after_lower),
                         next_below(values, outer.high, upper)};
  return {between(outer.low, inner.low, from - from_whole),
          between(inner.high, outer.high, to - to_whole)};
}

Codebook calibrate_codebook(const CodebookSpec& spec, const CacheLayer& input,
                            std::int64_t n_tokens) {
  assert(n_tokens >= 1 && n_tokens <= input.shape(1));
  Ends ends = spec.axis == GroupAxis::token
                  ? ends_of_tokens(spec.sparsity_threshold, input, n_tokens)
                  : ends_of_channels(spec.sparsity_threshold, input, n_tokens);
  Codebook book;
  if (spec.nuq) {
    const UnitPoints points = inliers(spec, input, n_tokens, ends);
    const Clusters clusters = kmeans(points, 1 << spec.n_bits);
    book.centroids = clusters.centroids;
    if (spec.norm) normalise(points, clusters, book);
  }
  if (spec.axis == GroupAxis::channel) {
    book.lower = std::move(ends.lower);
    book.upper = std::move(ends.upper);
  }
  return book;
}

}  // namespace qaq
