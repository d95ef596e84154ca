#include "core/quant/row_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/quant/row_sums.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/quant/row_kernels.cpp"
// Must come before highway.h, in this order: Highway compiles this file once for each target.
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace qaq {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, kRowSums>;
using Vector = hn::Vec<Floats>;
using HalfFloats = hn::Half<Floats>;
using Doubles = hn::Repartition<double, Floats>;
using DoubleVector = hn::Vec<Doubles>;
constexpr std::size_t kLanes = hn::MaxLanes(Floats());
constexpr std::size_t kVectors = kRowSums / kLanes;  // of sixteen numbers
// Rows follow each other in memory: what is fetched while this is worked on.
constexpr std::size_t kAhead = 1024;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Lanes i and i + n/2 added, then i and i + n/4, down to one.
template <class D, class V>
HWY_INLINE double sum_of_halves(D d, V v) {
  if constexpr (hn::MaxLanes(d) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<D> half;
    return sum_of_halves(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

// Sixteen sums in float64.
class Sums {
 public:
  // Written out: an implicit one would not be compiled for the target.
  HWY_INLINE Sums() {
    for (std::size_t i = 0; i < 2 * kVectors; ++i) sums_[i] = hn::Zero(Doubles());
  }
  // The terms of vector `i` of sixteen numbers, in two halves.
  HWY_INLINE void add(std::size_t i, DoubleVector low, DoubleVector high) {
    sums_[2 * i] = hn::Add(sums_[2 * i], low);
    sums_[2 * i + 1] = hn::Add(sums_[2 * i + 1], high);
  }
  // The squares of numbers that are float32, which float64 holds exactly: fused or not, the same.
  HWY_INLINE void add_squares(std::size_t i, DoubleVector low, DoubleVector high) {
    sums_[2 * i] = hn::MulAdd(low, low, sums_[2 * i]);
    sums_[2 * i + 1] = hn::MulAdd(high, high, sums_[2 * i + 1]);
  }
  HWY_INLINE void store(std::array<double, kRowSums>& out) const {
    for (std::size_t i = 0; i < 2 * kVectors; ++i) {
      hn::StoreU(sums_[i], Doubles(), out.data() + i * (kLanes / 2));
    }
  }
  // total_of() them, in the same order.
  HWY_INLINE double total() {
    for (std::size_t n = kVectors; n > 0; n /= 2) {
      for (std::size_t i = 0; i < n; ++i) sums_[i] = hn::Add(sums_[i], sums_[i + n]);
    }
    return sum_of_halves(Doubles(), sums_[0]);
  }

 private:
  DoubleVector sums_[2 * kVectors];
};

HWY_INLINE DoubleVector lower(Vector v) {
  return hn::PromoteTo(Doubles(), hn::LowerHalf(HalfFloats(), v));
}
HWY_INLINE DoubleVector upper(Vector v) {
  return hn::PromoteTo(Doubles(), hn::UpperHalf(HalfFloats(), v));
}

// Calls body(at, i) for whole blocks of sixteen numbers, i being the vector in its block, and
// returns where the rest begins.
template <class Body>
HWY_INLINE std::size_t for_blocks(std::size_t n, const Body& body) {
  std::size_t at = 0;
  for (; at + kRowSums <= n; at += kRowSums) {
    for (std::size_t i = 0; i < kVectors; ++i) body(at + i * kLanes, i);
  }
  return at;
}

InlierExtent extent(const float* values, std::size_t n, float low, float high) {
  const Floats d;
  const Vector most = hn::Set(d, kInfinity), least = hn::Neg(most);
  const Vector bottom = hn::Set(d, low), top = hn::Set(d, high);
  Vector min = most, max = least;
  Sums sums;
  std::size_t count = 0;
  std::size_t at = for_blocks(n, [&](std::size_t from, std::size_t i) HWY_ATTR {
    const Vector x = hn::LoadU(d, values + from);
    const auto in = hn::And(hn::Gt(x, bottom), hn::Le(x, top));
    min = hn::Min(min, hn::IfThenElse(in, x, most));
    max = hn::Max(max, hn::IfThenElse(in, x, least));
    count += hn::CountTrue(d, in);
    const Vector term = hn::IfThenElseZero(in, x);
    sums.add(i, lower(term), upper(term));
  });
  InlierExtent out{static_cast<std::int64_t>(count), hn::GetLane(hn::MinOfLanes(d, min)),
                   hn::GetLane(hn::MaxOfLanes(d, max)), 0};
  if (at == n) {
    out.sum = sums.total();
    return out;
  }
  std::array<double, kRowSums> parts;
  sums.store(parts);
  for (std::size_t i = 0; at + i < n; ++i) {
    const float x = values[at + i];
    if (x <= low || x > high) continue;
    ++out.count;
    out.min = x < out.min ? x : out.min;
    out.max = x > out.max ? x : out.max;
    parts[i] += static_cast<double>(x);
  }
  out.sum = total_of(parts);
  return out;
}

void extents(const float* const* rows, std::size_t n_rows, std::size_t size, InlierExtent* out,
             std::size_t n_units) {
  const Floats d;
  for (std::size_t unit = 0; unit < n_units; ++unit) {
    Vector min = hn::Set(d, kInfinity), max = hn::Set(d, -kInfinity);
    Sums sums;
    for (std::size_t row = 0; row < n_rows; ++row) {
      const float* values = rows[row] + unit * size;
      for_blocks(size, [&](std::size_t from, std::size_t i) HWY_ATTR {
        hwy::Prefetch(values + from + kAhead);
        const Vector x = hn::LoadU(d, values + from);
        min = hn::Min(min, x);
        max = hn::Max(max, x);
        sums.add(i, lower(x), upper(x));
      });
    }
    out[unit] = {static_cast<std::int64_t>(n_rows * size), hn::GetLane(hn::MinOfLanes(d, min)),
                 hn::GetLane(hn::MaxOfLanes(d, max)), sums.total()};
  }
}

double squares(const float* values, std::size_t n, float low, float high, double mean) {
  const Floats d;
  const Vector bottom = hn::Set(d, low), top = hn::Set(d, high);
  const DoubleVector centre = hn::Set(Doubles(), mean);
  Sums sums;
  std::size_t at = for_blocks(n, [&](std::size_t from, std::size_t i) HWY_ATTR {
    const Vector x = hn::LoadU(d, values + from);
    const auto in = hn::And(hn::Gt(x, bottom), hn::Le(x, top));
    // An outlier counts as the mean would.
    const Vector one = hn::IfThenElseZero(in, hn::Set(d, 1.0f));
    const DoubleVector a = hn::Mul(hn::Sub(lower(x), centre), lower(one));
    const DoubleVector b = hn::Mul(hn::Sub(upper(x), centre), upper(one));
    sums.add(i, hn::Mul(a, a), hn::Mul(b, b));
  });
  if (at == n) return sums.total();
  std::array<double, kRowSums> parts;
  sums.store(parts);
  for (std::size_t i = 0; at + i < n; ++i) {
    const float x = values[at + i];
    if (x <= low || x > high) continue;
    const double difference = static_cast<double>(x) - mean;
    parts[i] += difference * difference;
  }
  return total_of(parts);
}

std::int64_t count_of(const float* values, std::size_t n, float value) {
  const Floats d;
  const Vector wanted = hn::Set(d, value);
  std::size_t count = 0;
  std::size_t at = for_blocks(n, [&](std::size_t from, std::size_t) HWY_ATTR {
    count += hn::CountTrue(d, hn::Eq(hn::LoadU(d, values + from), wanted));
  });
  for (; at < n; ++at) count += values[at] == value ? 1 : 0;
  return static_cast<std::int64_t>(count);
}

Extreme smallest(const float* values, std::size_t n, float floor) {
  const Floats d;
  const Vector most = hn::Set(d, kInfinity), bottom = hn::Set(d, floor);
  Vector min = most;
  std::size_t at = for_blocks(n, [&](std::size_t from, std::size_t) HWY_ATTR {
    const Vector x = hn::LoadU(d, values + from);
    min = hn::Min(min, hn::IfThenElse(hn::Gt(x, bottom), x, most));
  });
  Extreme out{hn::GetLane(hn::MinOfLanes(d, min)), 0};
  for (std::size_t i = at; i < n; ++i) {
    if (values[i] > floor && values[i] < out.value) out.value = values[i];
  }
  out.count = count_of(values, n, out.value);
  return out;
}

Extreme largest(const float* values, std::size_t n, float ceiling) {
  const Floats d;
  const Vector least = hn::Set(d, -kInfinity), top = hn::Set(d, ceiling);
  Vector max = least;
  std::size_t at = for_blocks(n, [&](std::size_t from, std::size_t) HWY_ATTR {
    const Vector x = hn::LoadU(d, values + from);
    max = hn::Max(max, hn::IfThenElse(hn::Lt(x, top), x, least));
  });
  Extreme out{hn::GetLane(hn::MaxOfLanes(d, max)), 0};
  for (std::size_t i = at; i < n; ++i) {
    if (values[i] < ceiling && values[i] > out.value) out.value = values[i];
  }
  out.count = count_of(values, n, out.value);
  return out;
}

// A grid whose codes are whole numbers, several of them, nearest to a value; its scale is so far
// from the ends of float32 that its reciprocal is exact to half a unit in the last place.
HWY_INLINE bool is_plain(const UniformGrid& grid) {
  return !grid.floors && grid.offset == 0.0f && grid.lowest < grid.highest && grid.scale > 1e-30f &&
         grid.scale < 1e30f;
}

// Codes of a plain grid: multiplied by the reciprocal, which is off by at most three units in the
// last place of the quotient; where that could reach the middle between two codes, divided.
// Clamping before rounding gives the same, since both ends are whole.
struct PlainCodes {
  Vector base, scale, reciprocal, lowest, highest, safe;

  HWY_INLINE explicit PlainCodes(const UniformGrid& grid) {
    const Floats d;
    base = hn::Set(d, grid.base);
    scale = hn::Set(d, grid.scale);
    reciprocal = hn::Set(d, 1.0f / grid.scale);
    lowest = hn::Set(d, grid.lowest);
    highest = hn::Set(d, grid.highest);
    const float most = std::max(std::abs(grid.lowest), std::abs(grid.highest)) + 2.0f;
    safe = hn::Set(d, 0.5f - most * 0x1p-21f);
  }
  HWY_INLINE Vector rounded(Vector steps) const {
    const Vector magic = hn::Set(Floats(), 12582912.0f);
    return hn::Sub(hn::Add(steps, magic), magic);
  }
  HWY_INLINE Vector clamped(Vector steps) const { return hn::Min(hn::Max(steps, lowest), highest); }
  HWY_INLINE Vector of(Vector x) const {
    const Vector difference = hn::Sub(x, base);
    const Vector steps = clamped(hn::Mul(difference, reciprocal));
    const Vector code = rounded(steps);
    if (HWY_LIKELY(hn::AllTrue(Floats(), hn::Lt(hn::Abs(hn::Sub(steps, code)), safe)))) return code;
    return rounded(clamped(hn::Div(difference, scale)));
  }
};

// Codes of any grid, as encode() of arith.h, operation by operation; with the offset added.
struct AnyCodes {
  Vector base, scale, lowest, highest, offset, one;

  HWY_INLINE explicit AnyCodes(const UniformGrid& grid) {
    const Floats d;
    base = hn::Set(d, grid.base);
    scale = hn::Set(d, grid.scale);
    lowest = hn::Set(d, grid.lowest);
    highest = hn::Set(d, grid.highest);
    offset = hn::Set(d, grid.offset);
    one = hn::Set(d, grid.floors ? 1.0f : 0.0f);
  }
  HWY_INLINE Vector of(Vector x) const {
    const Vector far = hn::Set(Floats(), 65536.0f), magic = hn::Set(Floats(), 12582912.0f);
    Vector steps = hn::Div(hn::Sub(x, base), scale);
    steps = hn::Min(hn::Max(steps, hn::Neg(far)), far);
    Vector code = hn::Sub(hn::Add(steps, magic), magic);
    code = hn::Sub(code, hn::IfThenElseZero(hn::Gt(code, steps), one));
    return hn::Add(hn::Min(hn::Max(code, lowest), highest), offset);
  }
};

// encode() and decode() of arith.h.
template <class Codes, bool kOutliers, bool kErrors>
HWY_INLINE double quantize_row(const RowQuantizer& row, const float* in, std::size_t n,
                               float* out) {
  const UniformGrid& grid = row.grid;
  const Floats d;
  const Codes codes(grid);
  const Vector bottom = hn::Set(d, row.low), top = hn::Set(d, row.high);
  Sums sums;
  std::size_t at = for_blocks(n, [&](std::size_t from, std::size_t i) HWY_ATTR {
    hwy::Prefetch(in + from + kAhead);
    hwy::Prefetch(out + from + kAhead);
    const Vector x = hn::LoadU(d, in + from);
    Vector kept = hn::Add(hn::Mul(codes.of(x), codes.scale), codes.base);
    if constexpr (kOutliers) {
      kept = hn::IfThenElse(hn::Or(hn::Le(x, bottom), hn::Gt(x, top)), x, kept);
    }
    hn::StoreU(kept, d, out + from);
    if constexpr (kErrors) {
      const Vector error = hn::Sub(kept, x);
      sums.add_squares(i, lower(error), upper(error));
    }
  });
  if (at == n) return kErrors ? sums.total() : 0;
  std::array<double, kRowSums> parts;
  sums.store(parts);
  for (std::size_t i = 0; at + i < n; ++i) {
    const float x = in[at + i];
    const float back = decode(grid, encode(grid, x));
    const float kept = (x <= row.low) | (x > row.high) ? x : back;
    const auto error = static_cast<double>(kept - x);
    parts[i] += error * error;
    out[at + i] = kept;
  }
  return total_of(parts);
}

template <bool kOutliers, bool kErrors>
HWY_INLINE double quantize_by_grid(const RowQuantizer& row, const float* in, std::size_t n,
                                   float* out) {
  return is_plain(row.grid) ? quantize_row<PlainCodes, kOutliers, kErrors>(row, in, n, out)
                            : quantize_row<AnyCodes, kOutliers, kErrors>(row, in, n, out);
}

template <bool kErrors>
HWY_INLINE void quantize_all(const RowQuantizer* rows, std::size_t n_rows, std::size_t length,
                             const float* in, float* out, double* errors) {
  for (std::size_t i = 0; i < n_rows; ++i, in += length, out += length) {
    const bool outliers = rows[i].low > -kInfinity || rows[i].high < kInfinity;
    const double error = outliers ? quantize_by_grid<true, kErrors>(rows[i], in, length, out)
                                  : quantize_by_grid<false, kErrors>(rows[i], in, length, out);
    if constexpr (kErrors) errors[i] = error;
  }
}

void quantize(const RowQuantizer* rows, std::size_t n_rows, std::size_t length, const float* in,
              float* out, double* errors) {
  if (errors != nullptr) {
    quantize_all<true>(rows, n_rows, length, in, out, errors);
  } else {
    quantize_all<false>(rows, n_rows, length, in, out, errors);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace qaq
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qaq {
HWY_EXPORT(extent);
HWY_EXPORT(extents);
HWY_EXPORT(squares);
HWY_EXPORT(smallest);
HWY_EXPORT(largest);
HWY_EXPORT(quantize);

InlierExtent inlier_extent(std::span<const float> values, float low, float high) {
  return HWY_DYNAMIC_DISPATCH(extent)(values.data(), values.size(), low, high);
}

double inlier_squares(std::span<const float> values, float low, float high, double mean) {
  return HWY_DYNAMIC_DISPATCH(squares)(values.data(), values.size(), low, high, mean);
}

Extreme smallest_above(std::span<const float> values, float floor) {
  return HWY_DYNAMIC_DISPATCH(smallest)(values.data(), values.size(), floor);
}

Extreme largest_below(std::span<const float> values, float ceiling) {
  return HWY_DYNAMIC_DISPATCH(largest)(values.data(), values.size(), ceiling);
}

void row_extents(std::span<const float* const> rows, std::size_t size,
                 std::span<InlierExtent> out) {
  HWY_DYNAMIC_DISPATCH(extents)(rows.data(), rows.size(), size, out.data(), out.size());
}

void quantize_rows(std::span<const RowQuantizer> rows, std::size_t length, const float* in,
                   float* out, double* errors) {
  HWY_DYNAMIC_DISPATCH(quantize)(rows.data(), rows.size(), length, in, out, errors);
}

}  // namespace qaq
#endif  // HWY_ONCE
