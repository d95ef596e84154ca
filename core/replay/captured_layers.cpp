#include "core/replay/captured_layers.h"

#include <algorithm>

#include "core/base/text.h"

namespace qaq {

std::optional<int> captured_index(std::span<const std::int32_t> captured, std::int64_t layer) {
  const auto found = std::ranges::find(captured, layer);
  if (found == captured.end()) return std::nullopt;
  return static_cast<int>(found - captured.begin());
}

std::string layer_list(std::span<const std::int32_t> layers) {
  std::string all;
  for (std::size_t first = 0, last = 0; first < layers.size(); first = last = last + 1) {
    while (last + 1 < layers.size() && layers[last + 1] == layers[last] + 1) ++last;
    all += cat(all.empty() ? "" : ", ", layers[first]);
    if (last > first) all += cat("-", layers[last]);
  }
  return all;
}

}  // namespace qaq
