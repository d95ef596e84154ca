#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace qaq {

/// How figures came about. They answer different questions, so every result names its mode and none
/// mixes them.
enum class RunMode {
  batch,        ///< a capture's prefix planned and quantized once, each layer by itself
  streaming,    ///< a capture's decode replayed step by step, planned again as it grows
  in_the_model  ///< a model run on the quantized cache, so that errors carry from layer to layer
};

/// As results have it under "mode".
inline std::string_view name_of(RunMode mode) {
  constexpr std::array<std::string_view, 3> names{"batch", "streaming", "in-the-model"};
  return names[static_cast<std::size_t>(mode)];
}

}  // namespace qaq
