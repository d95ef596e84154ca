#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// One step of cutting text into words: makes finer pieces of a piece.
class PreTokenizerStep {
 public:
  virtual ~PreTokenizerStep() = default;
  /// Appends what `piece`, valid UTF-8 and not empty, becomes; no piece is empty. `at_beginning`:
  /// the piece begins the whole text.
  virtual void apply(std::string_view piece, bool at_beginning,
                     std::vector<std::string>& out) const = 0;
};

/// Splits text into the words within which BPE merges. A model is trained with one split, and
/// another gives wrong tokens without any sign of it.
class PreTokenizer {
 public:
  /// Without steps, the text is one word.
  explicit PreTokenizer(std::vector<std::unique_ptr<const PreTokenizerStep>> steps = {})
      : steps_(std::move(steps)) {}

  /// The words of valid UTF-8 `text`, in order. `at_beginning`: nothing stands before it.
  std::vector<std::string> split(std::string_view text, bool at_beginning = true) const;

 private:
  std::vector<std::unique_ptr<const PreTokenizerStep>> steps_;
};

}  // namespace qaq
