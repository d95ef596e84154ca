#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// Tokens that stand for their text as a whole, wherever it occurs.
class SpecialTokens {
 public:
  struct Token {
    std::string text;
    std::int32_t id = 0;
    bool control = true;  ///< false: a word of the user's, taken even where control text is plain
  };
  /// A stretch of text: a special token, or plain (id -1).
  struct Piece {
    std::string_view text;
    std::int32_t id = -1;
  };

  SpecialTokens() = default;
  explicit SpecialTokens(std::vector<Token> tokens);

  const std::vector<Token>& tokens() const { return tokens_; }
  /// The text in pieces. All occurrences of the longest token are taken first, then those of the
  /// next in what is left, as llama.cpp does. Without `control`, control tokens are plain text.
  std::vector<Piece> split(std::string_view text, bool control) const;

 private:
  std::vector<Token> tokens_;  ///< longest first
};

}  // namespace qaq
