#include "core/quant/select_ranks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <vector>

#include "core/quant/row_kernels.h"

namespace qaq {
namespace {

// Up to so far from an end a rank is found by going inwards, value by value: each is one pass of
// vectors.
constexpr std::int64_t kNearEnd = 6;

float from_below(std::span<const float> values, std::int64_t rank) {
  Extreme found = smallest_above(values, -std::numeric_limits<float>::infinity());
  for (; rank > found.count; found = smallest_above(values, found.value)) rank -= found.count;
  return found.value;
}

float from_above(std::span<const float> values, std::int64_t rank) {
  Extreme found = largest_below(values, std::numeric_limits<float>::infinity());
  for (; rank > found.count; found = largest_below(values, found.value)) rank -= found.count;
  return found.value;
}

// Values by the first twelve bits of their place among all floats: sign, exponent, three digits.
class Buckets {
 public:
  explicit Buckets(std::span<const float> values) : values_(values) {
    for (const float x : values) ++counts_[bucket(x)];
  }
  float nth(std::int64_t rank) const {
    std::size_t at = 0;
    for (; rank > counts_[at]; ++at) rank -= counts_[at];
    std::vector<float> inside;
    inside.reserve(counts_[at]);
    for (const float x : values_) {
      if (bucket(x) == at) inside.push_back(x);
    }
    const auto nth = inside.begin() + (rank - 1);
    std::nth_element(inside.begin(), nth, inside.end());
    return *nth;
  }

 private:
  static std::size_t bucket(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return ordered >> 20;
  }
  std::span<const float> values_;
  std::array<std::uint32_t, 4096> counts_{};
};

}  // namespace

RankValues select_ranks(std::span<const float> values, std::int64_t low_rank,
                        std::int64_t high_rank) {
  const auto n = static_cast<std::int64_t>(values.size());
  const std::int64_t rank_from_end = n - high_rank + 1;
  if (low_rank <= kNearEnd && rank_from_end <= kNearEnd) {
    return {from_below(values, low_rank), from_above(values, rank_from_end)};
  }
  const Buckets buckets(values);
  return {buckets.nth(low_rank), buckets.nth(high_rank)};
}

}  // namespace qaq
