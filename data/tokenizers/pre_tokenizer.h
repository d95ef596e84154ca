#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizers/regex.h"

namespace qaq {

/// Splits text into the words within which byte-level BPE merges. A model is trained with one
/// split, and another gives wrong tokens without any sign of it, so each is known by the name that
/// GGUF gives it (`tokenizer.ggml.pre`) and an unknown one is never guessed.
class PreTokenizer {
 public:
  /// Names that find() knows, in order.
  static std::vector<std::string> names();
  /// Null where the name is unknown.
  static const PreTokenizer* find(std::string_view name);

  /// The words of valid UTF-8 `text`, in order: together they are the text.
  std::vector<std::string_view> split(std::string_view text) const;

 private:
  explicit PreTokenizer(const std::vector<std::string>& patterns);

  std::vector<Regex> stages_;  ///< each splits the pieces that the one before left
};

}  // namespace qaq
