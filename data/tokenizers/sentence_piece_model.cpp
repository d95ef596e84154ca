#include "data/tokenizers/sentence_piece_model.h"

#include <bit>
#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/protobuf_reader.h"

namespace qaq {
namespace {

// Field numbers of sentencepiece_model.proto.
namespace model {
constexpr std::uint32_t kPieces = 1, kTrainer = 2, kNormalizer = 3;
}
namespace piece {
constexpr std::uint32_t kText = 1, kScore = 2, kType = 3;
}
namespace trainer {
constexpr std::uint32_t kModelType = 3, kWhitespaceAsSuffix = 24, kByteFallback = 35,
                        kUnknownId = 40, kBeginningId = 41, kEndId = 42, kPaddingId = 43,
                        kUnknownPiece = 45;
constexpr std::uint64_t kBpe = 2;
constexpr const char* kTypeNames[] = {"", "Unigram", "BPE", "Word", "Char"};
}  // namespace trainer
namespace normalizer {
constexpr std::uint32_t kName = 1, kRules = 2, kDummyPrefix = 3, kExtraWhitespaces = 4,
                        kEscapeWhitespaces = 5;
}

SentencePieceModel::Piece read_piece(ProtobufReader reader) {
  SentencePieceModel::Piece out;
  while (const auto field = reader.next()) {
    if (field->number == piece::kText) out.text = field->bytes();
    if (field->number == piece::kScore) out.score = field->real();
    if (field->number == piece::kType) {
      if (field->integer() < 1 || field->integer() > 6) reader.refuse("a piece of unknown type");
      out.type = static_cast<SentencePieceModel::Type>(field->integer());
    }
  }
  if (out.text.empty() || invalid_utf8_offset(out.text)) reader.refuse("a piece is no UTF-8 text");
  if (!std::isfinite(out.score)) reader.refuse("the score of a piece is not finite");
  return out;
}

void read_trainer(ProtobufReader reader, SentencePieceModel& out) {
  std::uint64_t type = 1;
  while (const auto field = reader.next()) {
    if (field->number == trainer::kModelType) type = field->integer();
    if (field->number == trainer::kByteFallback) out.byte_fallback = field->integer() != 0;
    if (field->number == trainer::kBeginningId) {
      out.beginning = static_cast<std::int32_t>(field->integer());
    }
    if (field->number == trainer::kWhitespaceAsSuffix && field->integer() != 0) {
      reader.refuse("spaces after words (treat_whitespace_as_suffix) are not supported",
                    "use another model");
    }
  }
  if (type != trainer::kBpe) {
    reader.refuse(cat("the SentencePiece model is of type ",
                      type < 5 ? trainer::kTypeNames[type] : "unknown", ", not BPE"),
                  "use a model with a BPE tokenizer, as LLaMA, Mistral and TinyLlama have");
  }
}

void read_normalizer(ProtobufReader reader, SentencePieceModel& out) {
  std::string name;
  bool rewrites = false;
  while (const auto field = reader.next()) {
    if (field->number == normalizer::kName) name = field->bytes();
    if (field->number == normalizer::kRules) rewrites = !field->bytes().empty();
    if (field->number == normalizer::kDummyPrefix) out.add_dummy_prefix = field->integer() != 0;
    if (field->number == normalizer::kExtraWhitespaces) {
      out.remove_extra_whitespaces = field->integer() != 0;
    }
    if (field->number == normalizer::kEscapeWhitespaces && field->integer() == 0) {
      reader.refuse("plain spaces in pieces (escape_whitespaces off) are not supported",
                    "use another model");
    }
  }
  if (rewrites) {
    reader.refuse(cat("the normalization '", name, "' is not supported"),
                  "use a model whose tokenizer leaves text as it is (identity), as LLaMA's does");
  }
}

class Writer {
 public:
  void integer(std::uint32_t field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
  }
  void real(std::uint32_t field, float value) {
    varint(field << 3 | 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int i = 0; i < 4; ++i) out_ += static_cast<char>(bits >> (8 * i));
  }
  void bytes(std::uint32_t field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  std::string out_;
};

}  // namespace

SentencePieceModel parse_sentence_piece(std::string_view bytes, const std::string& file) {
  SentencePieceModel out;
  bool has_trainer = false;
  ProtobufReader reader(bytes, file);
  while (const auto field = reader.next()) {
    if (field->number == model::kPieces) out.pieces.push_back(read_piece(reader.inside(*field)));
    if (field->number == model::kNormalizer) read_normalizer(reader.inside(*field), out);
    if (field->number == model::kTrainer) {
      read_trainer(reader.inside(*field), out);
      has_trainer = true;
    }
  }
  if (out.pieces.empty() || !has_trainer) reader.refuse("the file holds no SentencePiece model");
  return out;
}

std::string SentencePieceModel::serialized() const {
  Writer whole;
  constexpr std::uint64_t kNone = ~std::uint64_t{0};  // -1
  std::uint64_t unknown_id = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    Writer one;
    one.bytes(piece::kText, pieces[i].text);
    one.real(piece::kScore, pieces[i].score);
    one.integer(piece::kType, static_cast<std::uint64_t>(pieces[i].type));
    whole.bytes(model::kPieces, one.take());
    if (pieces[i].type == Type::unknown) unknown_id = i;
  }
  Writer training;
  training.integer(trainer::kModelType, trainer::kBpe);
  training.integer(trainer::kByteFallback, byte_fallback ? 1 : 0);
  training.integer(trainer::kUnknownId, unknown_id);
  training.integer(trainer::kBeginningId, kNone);
  training.integer(trainer::kEndId, kNone);
  training.integer(trainer::kPaddingId, kNone);
  training.bytes(trainer::kUnknownPiece, pieces[unknown_id].text);
  whole.bytes(model::kTrainer, training.take());
  Writer rules;
  rules.bytes(normalizer::kName, "identity");
  rules.integer(normalizer::kDummyPrefix, add_dummy_prefix ? 1 : 0);
  rules.integer(normalizer::kExtraWhitespaces, remove_extra_whitespaces ? 1 : 0);
  whole.bytes(model::kNormalizer, rules.take());
  return whole.take();
}

}  // namespace qaq
