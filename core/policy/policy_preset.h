#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// Settings of a rival that were published under a name of their own, beside its defaults.
struct PolicyPreset {
  std::string_view name;
  std::string_view source;               ///< where they stand, for people
  std::vector<std::string> assignments;  ///< "name=value", as --set takes them
};

}  // namespace qaq
