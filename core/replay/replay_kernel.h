#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "core/base/progress.h"
#include "core/replay/cache_replay.h"
#include "core/replay/capture_view.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What of a capture is replayed.
struct ReplayScope {
  std::int64_t prefix = 0;     ///< tokens that plans quantize
  std::int64_t first_row = 0;  ///< of the captured rows (CaptureInfo::query_token)
  std::int64_t n_rows = 0;     ///< that scores and outputs are compared in from there on; 0: none
  bool keeps_layers = false;   ///< many plans will be measured: layers are read once and kept
};

/// What a plan does to one layer. Views that hold during the call that hands them over. Errors and
/// outliers of a cache are empty where its plan keeps all of it.
struct PlanErrors {
  NdView<const double, 2> key;  ///< (n_kv_heads, prefix): sum over channels of (x' - x)^2, terms
                                ///< rounded to float32
  NdView<const double, 2> value;
  /// (n_kv_heads, prefix, ceil(D/8)), MSB first, 1: kept exactly; empty: not asked for.
  NdView<const std::uint8_t, 3> key_outliers;
  NdView<const std::uint8_t, 3> value_outliers;
  /// As RowErrors has them, (n_heads, n_rows); empty without rows.
  NdView<const double, 2> attention;
  NdView<const double, 2> prefix_attention;
  NdView<const double, 2> output;
};

/// A capture, opened where replays are computed: carries plans out and measures them. Bits, codes
/// and outliers are the same everywhere; sums of scores and outputs are float32 products and agree
/// within their rounding. One call at a time.
class ReplayKernel {
 public:
  using Take = std::function<void(std::int64_t plan, const PlanErrors& errors)>;

  virtual ~ReplayKernel() = default;
  /// Measures the plans on one layer: their place is in `plans`, their errors go to `take`, once a
  /// plan, in any order and from several threads. Layers are asked for in order. Throws
  /// Error{interrupted}, and what reading the capture throws.
  virtual void measure(std::int64_t layer, std::span<const PlannedCaches> plans, bool outliers,
                       const Take& take, const Work& work) = 0;
};

/// Opens captures where replays are computed. The capture outlives the kernel.
using OpenReplay = std::function<std::unique_ptr<ReplayKernel>(
    const CaptureView& capture, const ReplayScope& scope, const Work& work)>;

}  // namespace qaq
