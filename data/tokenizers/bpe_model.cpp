#include "data/tokenizers/bpe_model.h"

#include <algorithm>

#include "data/tokenizers/byte_alphabet.h"

namespace qaq {

void BpeModel::add_token(const std::string& text, std::int32_t id) { ids_.emplace(text, id); }

void BpeModel::append_missing(std::vector<std::int32_t>& symbols, bool after_missing) const {
  if (unknown >= 0) {
    if (!(fuse_unknown && after_missing)) symbols.push_back(unknown);
  } else if (missing == Missing::gap) {
    symbols.push_back(-1);
  }
}

std::vector<std::int32_t> BpeModel::symbols_of_bytes(std::string_view word) const {
  std::vector<std::int32_t> symbols;
  symbols.reserve(word.size());
  bool after_missing = false;
  for (const char c : word) {
    const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
    if (id >= 0) {
      symbols.push_back(id);
    } else {
      append_missing(symbols, after_missing);
    }
    after_missing = id < 0;
  }
  return symbols;
}

// All bytes of the character, or none where one of them has no token.
bool BpeModel::append_bytes(std::string_view character, std::vector<std::int32_t>& symbols) const {
  const auto id_of = [&](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
  if (std::any_of(character.begin(), character.end(), [&](char c) { return id_of(c) < 0; })) {
    return false;
  }
  for (const char c : character) symbols.push_back(id_of(c));
  return true;
}

std::vector<std::int32_t> BpeModel::symbols_of_characters(std::string_view word) const {
  std::vector<std::int32_t> symbols;
  bool after_missing = false;
  while (!word.empty()) {
    const std::string character(word.substr(0, character_bytes(word[0])));
    word.remove_prefix(character.size());
    const auto at = ids_.find(character);
    bool found = at != ids_.end();
    if (found) {
      symbols.push_back(at->second);
    } else {
      found = byte_fallback && append_bytes(character, symbols);
    }
    if (!found) append_missing(symbols, after_missing);
    after_missing = !found;
  }
  return symbols;
}

void BpeModel::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (ignore_merges) {
    if (const auto whole = ids_.find(std::string(word)); whole != ids_.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  for (const std::int32_t id :
       merges.apply(byte_level ? symbols_of_bytes(word) : symbols_of_characters(word))) {
    if (id >= 0) ids.push_back(id);
  }
}

}  // namespace qaq
