#include "core/model/weight_pruning.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <vector>

namespace qaq {
namespace {

// Numbers without their sign are ordered as these are.
std::uint32_t magnitude(float x) { return std::bit_cast<std::uint32_t>(x) & 0x7fffffffu; }

// One number a block: what is kept can keep its bytes.
bool is_plain(WeightType type) { return weight_type_info(type).block_elements == 1; }

WeightType pruned_type(WeightType type) { return is_plain(type) ? type : WeightType::f32; }

void decode(const WeightView& weight, std::span<float> out) {
  const auto cols = static_cast<std::size_t>(weight.cols);
  const auto n_bytes = static_cast<std::size_t>(row_bytes(weight.type, weight.cols));
  for (std::size_t row = 0; row < static_cast<std::size_t>(weight.rows); ++row) {
    decode_row(weight.type, weight.bytes.subspan(row * n_bytes, n_bytes),
               out.subspan(row * cols, cols));
  }
}

}  // namespace

bool is_pruned_role(WeightRole role) {
  switch (role) {
    case WeightRole::query:
    case WeightRole::key:
    case WeightRole::value:
    case WeightRole::attention_output:
    case WeightRole::gate:
    case WeightRole::up:
    case WeightRole::down:
      return true;
    default:
      return false;
  }
}

void prune_smallest(std::span<float> weights, double share) {
  assert(share >= 0 && share < 1);
  const auto n_pruned = static_cast<std::size_t>(share * static_cast<double>(weights.size()));
  if (n_pruned == 0) return;
  std::vector<std::uint32_t> sizes(weights.size());
  std::ranges::transform(weights, sizes.begin(), magnitude);
  const auto last = sizes.begin() + static_cast<std::ptrdiff_t>(n_pruned) - 1;
  std::nth_element(sizes.begin(), last, sizes.end());
  const std::uint32_t largest = *last;
  // Of those as large as the last one, as many as lie before it now.
  auto n_ties = std::count(sizes.begin(), last + 1, largest);
  for (float& x : weights) {
    const std::uint32_t size = magnitude(x);
    if (size < largest || (size == largest && n_ties-- > 0)) x = 0;
  }
}

std::int64_t pruned_bytes(const WeightView& weight) {
  return weight.rows * row_bytes(pruned_type(weight.type), weight.cols);
}

PrunedWeight pruned_weight(const WeightView& weight, double share) {
  PrunedWeight out{.bytes = {}, .view = weight};
  out.view.type = pruned_type(weight.type);
  const std::int64_t n = weight.rows * weight.cols, n_bytes = pruned_bytes(weight);
  const auto all = static_cast<std::size_t>(n);
  constexpr std::int64_t kFloat = sizeof(float);
  out.bytes = PageBuffer((n_bytes + kFloat - 1) / kFloat);
  auto* bytes = reinterpret_cast<std::byte*>(out.bytes.data());
  out.view.bytes = {bytes, static_cast<std::size_t>(n_bytes)};
  if (out.view.type == WeightType::f32) {
    const std::span<float> numbers(out.bytes.data(), all);
    decode(weight, numbers);
    prune_smallest(numbers, share);
    return out;
  }
  std::vector<float> numbers(all);
  decode(weight, numbers);
  prune_smallest(numbers, share);
  std::memcpy(bytes, weight.bytes.data(), out.view.bytes.size());
  for (std::size_t i = 0; i < all; ++i) {
    if (numbers[i] == 0) std::memset(bytes + 2 * i, 0, 2);
  }
  return out;
}

}  // namespace qaq
