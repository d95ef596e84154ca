#include "data/capture/profile_name.h"

#include <array>
#include <cstddef>

namespace qaq {
namespace {

constexpr std::array<std::string_view, 4> kNames{"full", "window", "derive", "none"};

}  // namespace

std::string_view name_of(AttentionProfile profile) {
  return kNames[static_cast<std::size_t>(profile)];
}

std::optional<AttentionProfile> profile_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<AttentionProfile>(i);
  }
  return std::nullopt;
}

}  // namespace qaq
