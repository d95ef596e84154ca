#pragma once

#include <span>
#include <string_view>

namespace qaq {

/// A lesson's two files; the build writes their text into the program.
struct BundledLesson {
  std::string_view name;  ///< "05-budget": of its files
  std::string_view json, markdown;
};
/// In the order of their names.
std::span<const BundledLesson> bundled_lessons();

/// measured.json.
std::string_view bundled_measurements();

}  // namespace qaq
