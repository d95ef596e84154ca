#include "data/tokenizers/token_table.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

TableTokenizer::TableTokenizer(TokenTable table) : table_(std::move(table)) {
  std::sort(table_.special.begin(), table_.special.end());
}

const std::string& TableTokenizer::token(std::int32_t id) const {
  if (id < 0 || id >= vocab_size()) {
    refuse_input({.place = cat("token ", id),
                  .what = cat("is out of range: the vocabulary has ", vocab_size(), " tokens"),
                  .cure = "use ids of this model's tokenizer"});
  }
  return table_.bytes[static_cast<std::size_t>(id)];
}

std::string TableTokenizer::decode(const std::vector<std::int32_t>& ids) const {
  std::string text;
  for (const std::int32_t id : ids) text += token(id);
  if (table_.drops_leading_space && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

std::string TableTokenizer::piece(std::int32_t id) const {
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

void check_utf8(std::string_view text) {
  if (const auto bad = invalid_utf8_offset(text)) {
    refuse_input({.place = cat("byte ", *bad),
                  .what = "the text is not valid UTF-8",
                  .cure = "save it as UTF-8"});
  }
}

}  // namespace qaq
