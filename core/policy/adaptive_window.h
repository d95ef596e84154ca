#pragma once

#include <cstdint>

#include "core/base/parameters.h"

namespace qaq {

/// A window of its own length n for each KV head, which grows where importance jumps (section 9 of
/// the mathematics). With phi the share of a step's tokens that violate persistence (section 7)
/// under the present window, mean = 0.9 mean + 0.1 phi: above `hi` n grows by one; below `lo` in
/// `hold` successive steps it shrinks by one. hi and lo lie around the rates of 0.0007 to 0.0014
/// that section 7 measured.
struct AdaptiveWindow {
  std::int64_t n_min = 1;
  std::int64_t n_max = 16;
  double hi = 0.002;
  double lo = 0.0005;
  std::int64_t hold = 8;

  bool operator==(const AdaptiveWindow&) const = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "n_min",
                    .help = "window_rule adaptive: the shortest window",
                    .unit = "rows",
                    .min = 1,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 64},
      self.n_min);
    v(ParameterInfo{.name = "n_max",
                    .help = "window_rule adaptive: the longest window; so many rows are kept",
                    .unit = "rows",
                    .min = 1,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 64},
      self.n_max);
    v(ParameterInfo{.name = "hi",
                    .help = "window_rule adaptive: a smoothed share of violations above it "
                            "lengthens the window by a row",
                    .min = 0,
                    .max = 1,
                    .slider_min = 0,
                    .slider_max = 0.01},
      self.hi);
    v(ParameterInfo{.name = "lo",
                    .help = "window_rule adaptive: a smoothed share of violations below it in "
                            "`hold` steps shortens the window by a row",
                    .min = 0,
                    .max = 1,
                    .slider_min = 0,
                    .slider_max = 0.01},
      self.lo);
    v(ParameterInfo{.name = "hold",
                    .help = "window_rule adaptive: successive steps below `lo` before the window "
                            "shrinks",
                    .unit = "steps",
                    .min = 1,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 64},
      self.hold);
  }
};

}  // namespace qaq
