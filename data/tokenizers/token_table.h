#pragma once

#include <string>
#include <vector>

#include "data/tokenizers/tokenizer.h"

namespace qaq {

/// What the ids of a tokenizer stand for.
struct TokenTable {
  std::vector<std::string> bytes;  ///< by id: raw bytes of the token, a special token's text
  std::vector<std::int32_t> special;
  /// Encoding puts a space in front of a text (SentencePiece's dummy prefix), so decoding leaves
  /// one out.
  bool drops_leading_space = false;
  std::optional<std::int32_t> beginning;
  std::string kind;
  std::string sha256;
};

/// A tokenizer whose text is that of its tokens, one after the other; how text is cut into tokens
/// is for the classes that derive from it.
class TableTokenizer : public Tokenizer {
 public:
  /// These throw Error{input} for an id that is no token.
  std::string decode(const std::vector<std::int32_t>& ids) const final;
  std::string bytes(std::int32_t id) const final { return token(id); }
  std::string piece(std::int32_t id) const final;

  std::int64_t vocab_size() const final { return static_cast<std::int64_t>(table_.bytes.size()); }
  std::vector<std::int32_t> special_ids() const final { return table_.special; }
  std::optional<std::int32_t> beginning_id() const final { return table_.beginning; }
  std::string kind() const final { return table_.kind; }
  std::string sha256() const final { return table_.sha256; }

 protected:
  explicit TableTokenizer(TokenTable table);

  const std::string& token(std::int32_t id) const;

 private:
  TokenTable table_;
};

/// Throws Error{input} with the byte's offset where `text` is not valid UTF-8.
void check_utf8(std::string_view text);

}  // namespace qaq
