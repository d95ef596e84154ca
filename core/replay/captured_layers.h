#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace qaq {

/// Where the model's layer `layer` stands among `captured` ones (CaptureInfo::layers), which is its
/// index in every array of a capture; nothing where it was not captured.
std::optional<int> captured_index(std::span<const std::int32_t> captured, std::int64_t layer);

/// Layers for a message, ranges drawn together: "0-3, 14".
std::string layer_list(std::span<const std::int32_t> layers);

}  // namespace qaq
