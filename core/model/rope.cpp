#include "core/model/rope.h"

#include <cmath>

namespace qaq {

std::vector<double> rope_frequencies(const RopeSpec& rope, std::int64_t) {
  std::vector<double> out;
  for (std::int64_t pair = 0; pair < rope.n_rotary_dim / 2; ++pair) {
    out.push_back(std::pow(
        rope.theta, -2.0 * static_cast<double>(pair) / static_cast<double>(rope.n_rotary_dim)));
  }
  return out;
}

std::string_view name_of(RopeKind kind) {
  switch (kind) {
    case RopeKind::standard:
      return "default";
    case RopeKind::linear:
      return "linear";
    case RopeKind::dynamic:
      return "dynamic";
    case RopeKind::yarn:
      return "yarn";
    case RopeKind::llama3:
      return "llama3";
  }
  return "";
}

}  // namespace qaq
