#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/tokenizers/bpe_merges.h"

namespace qaq {

/// Turns one word into tokens by byte-pair encoding. There are two alphabets: bytes (GPT-2's
/// byte-level BPE) and characters, where a character without a token becomes its bytes' tokens
/// <0x00> to <0xFF>, if there are such (byte fallback), or else the unknown token.
class BpeModel {
 public:
  /// What becomes of a symbol that no token stands for.
  enum class Missing {
    left_out,  ///< its neighbours merge as if it were not there (the library `tokenizers`)
    gap,       ///< it is left out, and keeps its neighbours from merging (llama.cpp)
  };

  bool byte_level = true;
  /// A word that is a token as a whole is that token, whatever the merges say.
  bool ignore_merges = false;
  bool byte_fallback = false;
  bool fuse_unknown = false;  ///< a run of unknown characters is one unknown token
  std::int32_t unknown = -1;  ///< -1: none
  Missing missing = Missing::gap;
  BpeMerges merges;

  BpeModel() { byte_ids_.fill(-1); }

  /// A token that is no special one, by its raw bytes or, with characters, its text.
  void add_token(const std::string& text, std::int32_t id);
  /// The token for one byte, of a byte-level model or for byte fallback.
  void add_byte(unsigned char byte, std::int32_t id) { byte_ids_[byte] = id; }

  /// Appends the tokens of `word`, valid UTF-8.
  void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

 private:
  std::vector<std::int32_t> symbols_of_bytes(std::string_view word) const;
  std::vector<std::int32_t> symbols_of_characters(std::string_view word) const;
  bool append_bytes(std::string_view character, std::vector<std::int32_t>& symbols) const;
  void append_missing(std::vector<std::int32_t>& symbols, bool after_missing) const;

  std::unordered_map<std::string, std::int32_t> ids_;
  std::array<std::int32_t, 256> byte_ids_{};
};

}  // namespace qaq
