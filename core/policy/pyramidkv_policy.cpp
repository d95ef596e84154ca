#include "core/policy/pyramidkv_policy.h"

#include <cmath>

namespace qaq {

std::int64_t pyramid_budget(const PyramidKvParams& params, std::int64_t layer,
                            std::int64_t n_layers, std::int64_t n_tokens) {
  const auto all = static_cast<double>(n_tokens);
  const auto window = static_cast<double>(params.window.window_size);
  const double mean = all * (1 - params.compression_ratio);
  double least = mean / params.beta, most = 2 * mean - least;
  if (most >= all - window) {
    most = all - window;
    least = 2 * mean - most;
  }
  // Half to even, as Python rounds.
  const auto rounded = [](double x) { return static_cast<std::int64_t>(std::nearbyint(x)); };
  if (!(all >= most && most >= least && least >= window)) {
    return std::max<std::int64_t>(1, rounded(mean));
  }
  if (n_layers == 1) return rounded(most);
  const double step = (most - least) / static_cast<double>(n_layers - 1);
  return rounded(most - static_cast<double>(layer) * step);
}

}  // namespace qaq
