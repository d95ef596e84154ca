#pragma once

#include <array>
#include <string>
#include <vector>

#include "data/tokenizers/bpe_merges.h"
#include "data/tokenizers/pre_tokenizer.h"
#include "data/tokenizers/special_tokens.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq {

/// What a byte-level BPE tokenizer is made of.
struct BpeVocabulary {
  std::vector<std::string> bytes;  ///< by id: raw bytes of the token, a special token's text
  std::array<std::int32_t, 256> byte_ids{};  ///< token of a single byte, -1 where there is none
  BpeMerges merges;
  SpecialTokens special;
  const PreTokenizer* pre = nullptr;
  std::optional<std::int32_t> beginning;
  std::string sha256;
};

/// Byte-level byte-pair encoding (GPT-2's): text is split into special tokens and words, and the
/// bytes of each word are merged by rank. A byte without a token of its own is left out, and keeps
/// its neighbours from merging, as in llama.cpp.
class BpeTokenizer final : public Tokenizer {
 public:
  explicit BpeTokenizer(BpeVocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}

  /// Throws Error{input} where `text` is not valid UTF-8.
  std::vector<std::int32_t> encode(std::string_view text, bool special) const override;
  /// These throw Error{input} for an id that is no token.
  std::string decode(const std::vector<std::int32_t>& ids) const override;
  std::string bytes(std::int32_t id) const override;
  std::string piece(std::int32_t id) const override;

  std::int64_t vocab_size() const override;
  std::vector<std::int32_t> special_ids() const override;
  std::optional<std::int32_t> beginning_id() const override { return vocabulary_.beginning; }
  std::string kind() const override { return "byte-level-bpe"; }
  std::string sha256() const override { return vocabulary_.sha256; }

 private:
  const std::string& token(std::int32_t id) const;
  void encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const;

  BpeVocabulary vocabulary_;
};

}  // namespace qaq
