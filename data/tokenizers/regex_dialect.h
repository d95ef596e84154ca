#pragma once

#include <string>
#include <string_view>

namespace qaq {

/// A regular expression as tokenizer.json files write it (Oniguruma, Ruby's syntax) in PCRE2's
/// words, for Regex. The two differ without a sign of it: \s and \w are other sets of characters,
/// \h and \v mean something else. What is translated is what splits text in known models; of the
/// rest, everything that could differ is refused with Error{input} by name: \b, \G, \X, back
/// references, named groups, scripts as properties, && and [ within brackets.
std::string pcre2_pattern(std::string_view oniguruma);

/// An expression that matches `text` itself.
std::string literal_pattern(std::string_view text);

}  // namespace qaq
