#pragma once

#include <cstdint>
#include <string>

#include "data/tokenizers/tokenizer.h"

namespace qaq {

/// Text of token ids that come one by one, as it becomes certain. What push() and finish() return,
/// joined, is what Tokenizer::decode gives for all ids, where that is valid UTF-8; bytes that are
/// part of no character come out as U+FFFD each.
class StreamDecoder {
 public:
  /// `at_beginning`: the first id begins a text, so that the space which SentencePiece puts in
  /// front of every text is left out; false where the ids go on after others. Keeps a reference.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool at_beginning = true)
      : tokenizer_(tokenizer), at_beginning_(at_beginning) {}

  /// The text that is certain now: whole characters, valid UTF-8. Bytes that a later token may
  /// complete are held back. Throws Error{input} for an id that is no token.
  std::string push(std::int32_t id);
  /// What was held back. Afterwards a text begins anew, going on after this one.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  bool at_beginning_;
  std::string held_;  ///< the beginning of a character
};

}  // namespace qaq
