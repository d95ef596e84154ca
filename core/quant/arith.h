#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/base/host_device.h"

/// The arithmetic of one unit, as the authors' code does it in float32 (arXiv 2403.04643 and its
/// `Quantizer`): pure functions that the CPU and kernels share, so that both give the same numbers.
/// Nothing here may be contracted or reordered.
namespace qaq {

/// Widest code: -32768..32767.
inline constexpr int kMaxBits = 16;

/// Bits that keep the error of a unit of the given range within `max_error`:
/// ceil(log2(range / (2 max_error) + 1)), with the sum rounded to float32 before the logarithm, so
/// that a quotient below 2^-24 gives 0 bits. Read off the exponent: the smallest b with 2^b >= sum.
/// Not clamped: 128 where the quotient overflows. range 0 gives 0, whatever max_error; max_error
/// infinite gives 0.
QAQ_HD inline int bits_for(float range, float max_error) {
  if (!(range > 0.0f)) return 0;
  const float quotient = range / (2.0f * max_error);
  const float sum = quotient + 1.0f;
  const auto pattern = std::bit_cast<std::uint32_t>(sum);
  const int exponent = static_cast<int>(pattern >> 23) - 127;
  return exponent + ((pattern & 0x7fffffu) != 0 ? 1 : 0);
}

/// The smallest b with range / 2^b <= step: ceil(log2(range / step)), read off the exponent. Not
/// clamped: negative where the step is wider than the range, 128 where the quotient overflows.
/// range 0 gives 0, whatever the step.
QAQ_HD inline int bits_for_step(float range, float step) {
  if (!(range > 0.0f)) return 0;
  const auto pattern = std::bit_cast<std::uint32_t>(range / step);
  const int exponent = static_cast<int>(pattern >> 23) - 127;
  return exponent + ((pattern & 0x7fffffu) != 0 ? 1 : 0);
}

/// 1-based ranks of the outlier thresholds among the N sorted values of a unit, for ratio r > 0: x
/// is an outlier where x <= the k_low-th or x > the k_high-th smallest. In double, in this order.
QAQ_HD inline std::int64_t k_low(double r, std::int64_t n) {
  return static_cast<std::int64_t>(std::ceil(r / 2 * static_cast<double>(n)));
}
QAQ_HD inline std::int64_t k_high(double r, std::int64_t n) {
  return static_cast<std::int64_t>(std::floor((1 - r / 2) * static_cast<double>(n)));
}

/// Equal steps of `scale`: code c stands for base + (c + offset) * scale. Codes run from `lowest`
/// to `highest`.
struct UniformGrid {
  float base = 0;
  float scale = 1;
  float lowest = 0;
  float highest = 0;
  float offset = 0;     ///< of what a code stands for: 1/2 in the middle of segments
  bool floors = false;  ///< a value's code is its segment, not the nearest step
};

/// The grid around a mean: step range / 2^b, codes -2^(b-1) .. 2^(b-1) - 1. With 0 bits both ends
/// are -1/2, so everything becomes mean - range / 2. Where the step is 0 everything becomes the
/// mean.
QAQ_HD inline UniformGrid mean_centred_grid(float mean, float range, int n_bits) {
  UniformGrid grid;
  grid.base = mean;
  const float scale = range / static_cast<float>(1 << n_bits);
  if (!(scale > 0.0f)) return grid;
  grid.scale = scale;
  grid.lowest = n_bits == 0 ? -0.5f : -static_cast<float>(1 << (n_bits - 1));
  grid.highest = n_bits == 0 ? -0.5f : static_cast<float>((1 << (n_bits - 1)) - 1);
  return grid;
}

/// 2^b segments from `min` on, codes 0 .. 2^b - 1 that stand for their middles: errors up to half a
/// step, none clipped. Where the range is 0 everything becomes `min`.
QAQ_HD inline UniformGrid midpoint_grid(float min, float range, int n_bits) {
  UniformGrid grid;
  grid.base = min;
  const float scale = range / static_cast<float>(1 << n_bits);
  if (!(scale > 0.0f)) return grid;
  grid.scale = scale;
  grid.highest = static_cast<float>((1 << n_bits) - 1);
  grid.offset = 0.5f;
  grid.floors = true;
  return grid;
}

/// 2^b - 1 steps from `min` on, codes 0 .. 2^b - 1, rounded to the nearest. With 0 bits as
/// midpoint_grid.
QAQ_HD inline UniformGrid minmax_grid(float min, float range, int n_bits) {
  if (n_bits == 0) return midpoint_grid(min, range, 0);
  UniformGrid grid;
  grid.base = min;
  const float scale = range / static_cast<float>((1 << n_bits) - 1);
  if (!(scale > 0.0f)) return grid;
  grid.scale = scale;
  grid.highest = static_cast<float>((1 << n_bits) - 1);
  return grid;
}

/// The code of x: rounded half to even (or down to its segment), then clamped.
QAQ_HD inline float encode(const UniformGrid& grid, float x) {
  float steps = (x - grid.base) / grid.scale;
  // Within 2^22, adding and subtracting 1.5 * 2^23 rounds half to even without a library call; no
  // code lies beyond 2^16, so cutting there changes no result.
  steps = steps < -65536.0f ? -65536.0f : steps;
  steps = steps > 65536.0f ? 65536.0f : steps;
  float code = (steps + 12582912.0f) - 12582912.0f;
  code = grid.floors && code > steps ? code - 1.0f : code;
  code = code < grid.lowest ? grid.lowest : code;
  return code > grid.highest ? grid.highest : code;
}

QAQ_HD inline float decode(const UniformGrid& grid, float code) {
  return (code + grid.offset) * grid.scale + grid.base;
}

}  // namespace qaq
