#include "data/tokenizers/bpe_tokenizer.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

std::vector<std::int32_t> BpeTokenizer::encode(std::string_view text, bool special) const {
  if (const auto bad = invalid_utf8_offset(text)) {
    refuse_input({.place = cat("byte ", *bad),
                  .what = "the text is not valid UTF-8",
                  .cure = "save it as UTF-8"});
  }
  std::vector<std::int32_t> ids;
  for (const SpecialTokens::Piece& piece : vocabulary_.special.split(text, special)) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
    } else {
      encode_plain(piece.text, ids);
    }
  }
  return ids;
}

void BpeTokenizer::encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const {
  for (const std::string_view word : vocabulary_.pre->split(text)) {
    std::vector<std::int32_t> symbols;
    for (const char c : word)
      symbols.push_back(vocabulary_.byte_ids[static_cast<unsigned char>(c)]);
    for (const std::int32_t id : vocabulary_.merges.apply(symbols)) {
      if (id >= 0) ids.push_back(id);
    }
  }
}

const std::string& BpeTokenizer::token(std::int32_t id) const {
  if (id < 0 || id >= vocab_size()) {
    refuse_input({.place = cat("token ", id),
                  .what = cat("is out of range: the vocabulary has ", vocab_size(), " tokens"),
                  .cure = "use ids of this model's tokenizer"});
  }
  return vocabulary_.bytes[static_cast<std::size_t>(id)];
}

std::string BpeTokenizer::decode(const std::vector<std::int32_t>& ids) const {
  std::string text;
  for (const std::int32_t id : ids) text += token(id);
  return text;
}

std::string BpeTokenizer::bytes(std::int32_t id) const { return token(id); }

std::string BpeTokenizer::piece(std::int32_t id) const {
  std::string_view rest = token(id);
  std::string out;
  while (const auto bad = invalid_utf8_offset(rest)) {
    const auto byte = static_cast<unsigned char>(rest[*bad]);
    out += rest.substr(0, *bad);
    out += cat("<0x", "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15], ">");
    rest.remove_prefix(*bad + 1);
  }
  return out += rest;
}

std::int64_t BpeTokenizer::vocab_size() const {
  return static_cast<std::int64_t>(vocabulary_.bytes.size());
}

std::vector<std::int32_t> BpeTokenizer::special_ids() const {
  std::vector<std::int32_t> ids;
  for (const SpecialTokens::Token& token : vocabulary_.special.tokens()) ids.push_back(token.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace qaq
