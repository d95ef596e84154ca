#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/selection_set.h"
#include "core/base/parameters.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// What text is taken in: words begin where a token begins with a space or follows a line break
/// or begins with punctuation; sentences end with . ! or ?, paragraphs with a line break.
enum class Granularity { token, word, sentence, paragraph };
template <>
struct ChoiceNames<Granularity> {
  static constexpr std::array<std::string_view, 4> names{"token", "word", "sentence", "paragraph"};
};

/// The units of a text, in order: runs of tokens that hold every token once. Special tokens are
/// units of their own.
std::vector<TokenRange> token_units(const CaptureInfo& info, Granularity granularity);

/// A token as it can be shown: its text without the space before it, line breaks and tabs as ⏎ and
/// →, blanks alone as ␣, and bytes that are no whole letter as hexadecimal numbers ("E2 96").
std::string token_display(const CaptureInfo& info, std::int64_t token);
/// The same of a token's bytes.
std::string token_display(const std::string& bytes);
/// Its bytes as hexadecimal numbers with spaces between them.
std::string token_hex(const CaptureInfo& info, std::int64_t token);
bool is_special(const CaptureInfo& info, std::int64_t token);

}  // namespace qaq
