#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qaq {

/// The byte that a token of byte fallback stands for: "<0x41>" is 0x41; nothing for another text.
std::optional<unsigned char> byte_of_token(std::string_view token);

}  // namespace qaq
