#pragma once

#include "data/tokenizers/pre_tokenizer.h"

namespace qaq {

/// Whether a text gets a space in front, so that its first word looks like any other.
enum class PrefixScheme {
  never,
  first,   ///< the piece that begins the whole text
  always,  ///< every piece
};

/// Puts a space in front of a piece that has none, as byte-level BPE may ask for
/// (add_prefix_space).
class PrefixSpaceStep final : public PreTokenizerStep {
 public:
  void apply(std::string_view piece, bool at_beginning,
             std::vector<std::string>& out) const override;
};

/// SentencePiece's way with spaces (Metaspace): each is written as `replacement` (U+2581), one is
/// put in front, and with `split` words are cut before it.
class MetaspaceStep final : public PreTokenizerStep {
 public:
  MetaspaceStep(std::string replacement, PrefixScheme prefix, bool split)
      : replacement_(std::move(replacement)), prefix_(prefix), split_(split) {}

  void apply(std::string_view piece, bool at_beginning,
             std::vector<std::string>& out) const override;

 private:
  std::string replacement_;
  PrefixScheme prefix_;
  bool split_;
};

}  // namespace qaq
