#include "core/quant/lane_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/quant/lane_kernels.cpp"
// Must come before highway.h: Highway compiles this file once for each target.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace qaq {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using LaneFloats = hn::CappedTag<float, 16>;
using LaneVector = hn::Vec<LaneFloats>;

// encode() and decode() of arith.h.
void lanes_by_steps(const LaneGrids& grids, const float* in, std::size_t size, float* out) {
  const LaneFloats d;
  const LaneVector far = hn::Set(d, 65536.0f), magic = hn::Set(d, 12582912.0f);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const LaneVector base = hn::LoadU(d, grids.base + i), scale = hn::LoadU(d, grids.scale + i);
    LaneVector steps = hn::Div(hn::Sub(hn::LoadU(d, in + i), base), scale);
    steps = hn::Min(hn::Max(steps, hn::Neg(far)), far);
    LaneVector code = hn::Sub(hn::Add(steps, magic), magic);
    code = hn::Min(hn::Max(code, hn::Zero(d)), hn::LoadU(d, grids.highest + i));
    hn::StoreU(hn::Add(hn::Mul(code, scale), base), d, out + i);
  }
  for (; i < size; ++i) out[i] = decode(grids.grid(i), encode(grids.grid(i), in[i]));
}

std::int64_t lanes_by_centroids(const LaneEnds& ends, const LaneCentroids& centroids,
                                const float* in, std::size_t size, float* out) {
  const LaneFloats d;
  const LaneVector two = hn::Set(d, 2.0f), one = hn::Set(d, 1.0f);
  const float* const stands_for = centroids.stands_for.data();
  const float* const middles = centroids.middles.data();
  std::size_t n_kept = 0, i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const LaneVector x = hn::LoadU(d, in + i);
    const LaneVector lower = hn::LoadU(d, ends.lower + i), upper = hn::LoadU(d, ends.upper + i);
    const LaneVector middle = hn::Div(hn::Add(upper, lower), two);
    const LaneVector radius = hn::Div(hn::Sub(upper, lower), two);
    const auto spread = hn::Gt(radius, hn::Zero(d));
    const LaneVector z = hn::Div(hn::Sub(x, middle), hn::IfThenElse(spread, radius, one));
    LaneVector found = hn::Set(d, stands_for[0]);
    for (std::size_t edge = 0; edge < centroids.middles.size(); ++edge) {
      found = hn::IfThenElse(hn::Gt(z, hn::Set(d, middles[edge])), hn::Set(d, stands_for[edge + 1]),
                             found);
    }
    const LaneVector back = hn::IfThenElse(spread, hn::Add(hn::Mul(found, radius), middle), lower);
    const auto kept =
        hn::Or(hn::Lt(x, hn::LoadU(d, ends.below + i)), hn::Gt(x, hn::LoadU(d, ends.above + i)));
    n_kept += hn::CountTrue(d, kept);
    hn::StoreU(hn::IfThenElse(kept, x, back), d, out + i);
  }
  for (; i < size; ++i) {
    n_kept += ends.keeps(i, in[i]) ? 1 : 0;
    out[i] = quantize_lane(ends, centroids, i, in[i]);
  }
  return static_cast<std::int64_t>(n_kept);
}

}  // namespace HWY_NAMESPACE
}  // namespace qaq
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qaq {
HWY_EXPORT(lanes_by_steps);
HWY_EXPORT(lanes_by_centroids);

void quantize_lanes(const LaneGrids& grids, std::span<const float> in, float* out) {
  HWY_DYNAMIC_DISPATCH(lanes_by_steps)(grids, in.data(), in.size(), out);
}

std::int64_t quantize_lanes(const LaneEnds& ends, const LaneCentroids& centroids,
                            std::span<const float> in, float* out) {
  return HWY_DYNAMIC_DISPATCH(lanes_by_centroids)(ends, centroids, in.data(), in.size(), out);
}

}  // namespace qaq
#endif  // HWY_ONCE
