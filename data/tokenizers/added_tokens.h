#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// The added tokens of a tokenizer.json: texts that become one token wherever they occur, before
/// anything else looks at the text.
class AddedTokens {
 public:
  struct Token {
    std::string text;
    std::int32_t id = 0;
    bool special = true;       ///< plain text where special tokens are not asked for
    bool single_word = false;  ///< taken only where no letter or digit touches it
    bool lstrip = false;       ///< takes the white space before it along
    bool rstrip = false;       ///< and that after it
  };
  /// A stretch of text: an added token, or plain (id -1).
  struct Piece {
    std::string_view text;
    std::int32_t id = -1;
  };

  explicit AddedTokens(std::vector<Token> tokens = {});

  const std::vector<Token>& tokens() const { return tokens_; }
  /// The text in pieces: from the left, at each place the longest token that stands there. Without
  /// `special`, special tokens are plain text.
  std::vector<Piece> split(std::string_view text, bool special) const;

 private:
  const Token* longest_at(std::string_view text) const;

  std::vector<Token> tokens_;  ///< longest first
  std::array<std::vector<std::size_t>, 256> by_first_byte_;
};

}  // namespace qaq
