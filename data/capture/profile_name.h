#pragma once

#include <optional>
#include <string_view>

#include "core/replay/capture_view.h"

namespace qaq {

/// The profile as @profile of /entry/attention says it.
std::string_view name_of(AttentionProfile profile);
std::optional<AttentionProfile> profile_named(std::string_view name);

}  // namespace qaq
