#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/replay/capture_view.h"

namespace qaq {

/// Positions, ascending, of the tokens in which `text` begins, in the displayed text of all tokens
/// (CaptureInfo::token_text) written one after the other: what is looked for may run over several
/// tokens. Upper and lower case of ASCII letters are one. Empty for an empty text.
std::vector<std::int32_t> tokens_with_text(const CaptureInfo& info, std::string_view text);

}  // namespace qaq
