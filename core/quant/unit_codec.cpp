#include "core/quant/unit_codec.h"

#include <algorithm>
#include <limits>

#include "core/quant/unit_grid.h"

namespace qaq {
namespace {

UniformGrid grid_between(RangeRule rule, float base, float range, int n_bits) {
  switch (rule) {
    case RangeRule::mean_centred:
      return mean_centred_grid(base, range, n_bits);
    case RangeRule::midpoint:
      return midpoint_grid(base, range, n_bits);
    case RangeRule::minmax:
      return minmax_grid(base, range, n_bits);
  }
  return {};
}

// The grid with that step, whatever range it came from.
UniformGrid grid_of_step(RangeRule rule, float base, float scale, int n_bits) {
  if (!(scale > 0.0f)) return {.base = base};
  UniformGrid grid = grid_between(rule, base, 1.0f, n_bits);
  grid.scale = scale;
  return grid;
}

UniformGrid stored_grid(const QuantizerSpec& spec, const StoredNumbers& numbers, int n_bits) {
  if (!spec.symmetric) return grid_of_step(spec.range_rule, numbers[0], numbers[1], n_bits);
  if (spec.range_rule == RangeRule::mean_centred) {
    return grid_of_step(spec.range_rule, 0.0f, numbers[0], n_bits);
  }
  if (spec.store_scale == StoreScale::f16) {
    UniformGrid grid = grid_of_step(spec.range_rule, 0.0f, numbers[0], n_bits);
    if (numbers[0] > 0.0f) grid.base = symmetric_base(grid);
    return grid;
  }
  const float range = std::min(-2.0f * numbers[0], std::numeric_limits<float>::max());
  return grid_between(spec.range_rule, numbers[0], range, n_bits);
}

// One code only: every inlier becomes the same.
bool is_constant(const UniformGrid& grid) { return grid.lowest == grid.highest; }

}  // namespace

StoredNumbers stored_numbers(const QuantizerSpec& spec, const UnitStats& stats, int n_bits) {
  if (spec.method == Method::normal) {
    const float mean = spec.symmetric ? 0.0f : stored_scale(spec.store_scale, stats.mean);
    const float deviation = stored_scale(spec.store_scale, stats.deviation);
    if (n_bits == 0) {
      const float centre = normal_codebook(0).centre[0];
      return {deviation > 0 ? centre * deviation + mean : mean, 0.0f};
    }
    if (spec.symmetric) return {deviation, 0.0f};
    return {mean, deviation};
  }
  const UniformGrid grid = unit_grid(spec, stats, n_bits);
  if (n_bits == 0) return {decode(grid, grid.lowest), 0.0f};
  const float scale = is_constant(grid) ? 0.0f : grid.scale;
  if (!spec.symmetric) return {grid.base, scale};
  const bool scale_alone =
      spec.range_rule == RangeRule::mean_centred || spec.store_scale == StoreScale::f16;
  return {scale_alone ? scale : grid.base, 0.0f};
}

UnitEncoder::UnitEncoder(const QuantizerSpec& spec, const UnitStats& stats, int n_bits) {
  if (spec.method == Method::normal) {
    book_ = &normal_codebook(n_bits);
    mean_ = spec.symmetric ? 0.0f : stored_scale(spec.store_scale, stats.mean);
    deviation_ = stored_scale(spec.store_scale, stats.deviation);
  } else {
    grid_ = unit_grid(spec, stats, n_bits);
  }
}

UnitDecoder::UnitDecoder(const QuantizerSpec& spec, const StoredNumbers& numbers, int n_bits) {
  if (n_bits == 0) {
    // Its product with code 0 is -0, which changes no base, not even -0.
    grid_.scale = -0.0f;
    grid_.base = numbers[0];
  } else if (spec.method == Method::normal) {
    book_ = &normal_codebook(n_bits);
    mean_ = spec.symmetric ? 0.0f : numbers[0];
    deviation_ = spec.symmetric ? numbers[0] : numbers[1];
  } else {
    grid_ = stored_grid(spec, numbers, n_bits);
  }
}

}  // namespace qaq
