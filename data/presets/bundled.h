#pragma once

#include <span>
#include <string_view>

namespace qaq {

struct BundledPreset {
  std::string_view name;  ///< the file's name without .json
  std::string_view text;
};

/// The JSON files of data/presets; the build writes their text into the program.
std::span<const BundledPreset> bundled_presets();

}  // namespace qaq
