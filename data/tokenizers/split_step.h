#pragma once

#include "data/tokenizers/pre_tokenizer.h"
#include "data/tokenizers/regex.h"

namespace qaq {

/// What becomes of the matches of a split, in the words of tokenizer.json.
enum class SplitBehavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };

/// Cuts a piece at the matches of an expression.
class SplitStep final : public PreTokenizerStep {
 public:
  /// `invert`: what lies between the matches counts as match, and the other way round.
  explicit SplitStep(Regex regex, SplitBehavior behavior = SplitBehavior::isolated,
                     bool invert = false)
      : regex_(std::move(regex)), behavior_(behavior), invert_(invert) {}

  void apply(std::string_view piece, bool at_beginning,
             std::vector<std::string>& out) const override;

 private:
  Regex regex_;
  SplitBehavior behavior_;
  bool invert_;
};

}  // namespace qaq
