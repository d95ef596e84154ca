#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/evaluate/item_result.h"
#include "core/evaluate/prefix_run.h"

namespace qaq {

/// A stretch of a text: its first n_prefix tokens are run once and quantized, the others scored on
/// them.
struct TextWindow {
  std::int64_t first = 0;     ///< position in the text
  std::int64_t n_tokens = 0;  ///< prefix and scored
  std::int64_t n_prefix = 0;
};

/// Windows of `window` tokens, each `stride` further on, over n_tokens: prefixes of window - stride
/// tokens, so that every position behind the first prefix is scored once. The last window may be
/// shorter. Throws Error{usage} unless 1 <= stride < window, and where the text has no token behind
/// the first prefix.
std::vector<TextWindow> text_windows(std::int64_t n_tokens, std::int64_t window,
                                     std::int64_t stride);

/// "tokens 256 to 767".
std::string id_of(const TextWindow& window);

/// Scores one window of `text`: row i gives the distribution of token i + 1, which may lie behind
/// the window; of the text's last row nothing is known, but its distributions are compared.
ItemResult score_window(PrefixRun& run, std::span<const std::int32_t> text,
                        const TextWindow& window, const Work& work);

}  // namespace qaq
