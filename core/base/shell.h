#pragma once

#include <string>
#include <string_view>

namespace qaq {

/// `text` as one word of a POSIX shell: plain where that is safe, else in single quotes.
std::string shell_word(std::string_view text);

}  // namespace qaq
