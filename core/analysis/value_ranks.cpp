#include "core/analysis/value_ranks.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace qaq {
namespace {

// Sign, exponent and the first 11 bits of the fraction.
constexpr int kKeyBits = 20;

// Rises with x.
std::uint32_t key_of(float x) {
  const auto pattern = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t ordered = (pattern >> 31) != 0 ? ~pattern : pattern | 0x80000000u;
  return ordered >> (32 - kKeyBits);
}

}  // namespace

ValueRanks::Counter::Counter() : bins_(std::size_t{1} << kKeyBits) {}

void ValueRanks::Counter::add(float x) {
  Bin& bin = bins_[key_of(x)];
  bin.least = bin.count == 0 ? x : std::min(bin.least, x);
  bin.most = bin.count == 0 ? x : std::max(bin.most, x);
  ++bin.count;
}

ValueRanks ValueRanks::Counter::finish() const {
  ValueRanks out;
  std::int64_t before = 0;
  for (const Bin& bin : bins_) {
    if (bin.count == 0) continue;
    out.bins_.push_back({bin.least, bin.most, before, bin.count});
    before += bin.count;
  }
  return out;
}

float ValueRanks::at(std::int64_t rank) const {
  assert(rank >= 1 && rank <= n());
  const auto next = std::ranges::lower_bound(bins_, rank, {}, &Bin::before);
  const Bin& bin = *std::prev(next);
  if (bin.count == 1) return bin.least;
  // Its ends are known; between them numbers are taken to lie evenly.
  const double share =
      static_cast<double>(rank - bin.before - 1) / static_cast<double>(bin.count - 1);
  return static_cast<float>(bin.least + share * (double{bin.most} - bin.least));
}

std::int64_t ValueRanks::n_up_to(double x) const {
  const auto next =
      std::ranges::upper_bound(bins_, x, {}, [](const Bin& bin) { return double{bin.least}; });
  if (next == bins_.begin()) return 0;
  const Bin& bin = *std::prev(next);
  if (x >= bin.most) return bin.before + bin.count;
  const double share = (x - bin.least) / (double{bin.most} - bin.least);
  return bin.before + 1 + static_cast<std::int64_t>(share * static_cast<double>(bin.count - 1));
}

}  // namespace qaq
