#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// A SentencePiece model of type BPE, as far as it decides which ids a text gets.
struct SentencePieceModel {
  enum class Type : std::int32_t {
    normal = 1,
    unknown = 2,
    control = 3,
    user_defined = 4,
    unused = 5,
    byte = 6,
  };
  struct Piece {
    std::string text;
    float score = 0;
    Type type = Type::normal;
  };

  std::vector<Piece> pieces;  ///< by id
  bool byte_fallback = false;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  std::int64_t beginning = 1;  ///< id of the beginning piece, -1: none

  /// As a protocol buffer (sentencepiece_model.proto), which the library reads.
  std::string serialized() const;
};

/// Reads the protocol buffer `bytes` of a tokenizer.model; `file` is its name for messages. Throws
/// Error{input} with the byte's offset where it is damaged, and by name for a model of another type
/// or one that rewrites text (a normalization rule other than identity).
SentencePieceModel parse_sentence_piece(std::string_view bytes, const std::string& file);

}  // namespace qaq
