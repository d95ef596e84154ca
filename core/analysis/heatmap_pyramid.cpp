#include "core/analysis/heatmap_pyramid.h"

namespace qaq {

bool HeatmapPyramids::asked_again(Reducer reducer) {
  const std::scoped_lock lock(mutex_);
  return std::exchange(asked_[static_cast<std::size_t>(reducer)], true);
}

}  // namespace qaq
