#pragma once

#include <string>
#include <string_view>

namespace qaq::cli {

/// Text from a file made safe for a terminal: control characters, marks that turn the direction of
/// writing and bytes that are no UTF-8 become escapes (\n, \x1b, \u202e); what is longer than
/// `max_characters` is cut and ends in "...".
std::string printable(std::string_view text, std::size_t max_characters = 200);

}  // namespace qaq::cli
