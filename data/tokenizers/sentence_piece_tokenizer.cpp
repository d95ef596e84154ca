#include "data/tokenizers/sentence_piece_tokenizer.h"

#include <sentencepiece_processor.h>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/tokenizers/byte_token.h"

namespace qaq {
namespace {

using Type = SentencePieceModel::Type;

constexpr std::string_view kSpace = "\u2581";

bool is_special(Type type) { return type == Type::control || type == Type::unknown; }

std::string bytes_of(const SentencePieceModel::Piece& piece) {
  if (is_special(piece.type)) return piece.text;
  if (piece.type == Type::byte) {
    if (const auto byte = byte_of_token(piece.text)) return {static_cast<char>(*byte)};
  }
  std::string out;
  std::string_view rest = piece.text;
  for (std::size_t at = rest.find(kSpace); at != std::string_view::npos; at = rest.find(kSpace)) {
    out += cat(rest.substr(0, at), ' ');
    rest.remove_prefix(at + kSpace.size());
  }
  return out += rest;
}

TokenTable table_of(const SentencePieceParts& parts) {
  TokenTable table;
  for (std::size_t i = 0; i < parts.model.pieces.size(); ++i) {
    const SentencePieceModel::Piece& piece = parts.model.pieces[i];
    table.bytes.push_back(bytes_of(piece));
    if (is_special(piece.type)) table.special.push_back(static_cast<std::int32_t>(i));
  }
  for (const SentencePieceParts::Added& added : parts.added) {
    if (added.special) table.special.push_back(static_cast<std::int32_t>(table.bytes.size()));
    table.bytes.push_back(added.text);
  }
  table.drops_leading_space = parts.model.add_dummy_prefix;
  table.beginning = parts.beginning;
  table.kind = "sentencepiece-bpe";
  Sha256 hash;
  hash.update(parts.model.serialized());
  for (const SentencePieceParts::Added& added : parts.added) {
    hash.update(cat(added.text.size(), ' ', added.text, added.special));
  }
  table.sha256 = hash.finish();
  return table;
}

SpecialTokens special_of(const SentencePieceParts& parts) {
  std::vector<SpecialTokens::Token> tokens;
  std::size_t tokens_added = 0;
  for (std::size_t i = 0; i < parts.model.pieces.size(); ++i) {
    const SentencePieceModel::Piece& piece = parts.model.pieces[i];
    const bool user_defined = piece.type == Type::user_defined && parts.cut_user_defined;
    if (!is_special(piece.type) && !user_defined) continue;
    tokens.push_back({piece.text, static_cast<std::int32_t>(i), !user_defined});
  }
  for (const SentencePieceParts::Added& added : parts.added) {
    const std::size_t id = parts.model.pieces.size() + tokens_added++;
    tokens.push_back({added.text, static_cast<std::int32_t>(id), added.special});
  }
  return SpecialTokens(std::move(tokens));
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(const SentencePieceParts& parts)
    : TableTokenizer(table_of(parts)),
      special_(special_of(parts)),
      processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  // The library gets the model written anew: only what was read and checked.
  const auto status = processor_->LoadFromSerializedProto(parts.model.serialized());
  if (!status.ok()) {
    refuse_input({.file = parts.file,
                  .what = cat("the SentencePiece model is damaged: ", status.ToString()),
                  .cure = "download the model's files again"});
  }
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

std::vector<std::int32_t> SentencePieceTokenizer::encode(std::string_view text,
                                                         bool special) const {
  check_utf8(text);
  std::vector<std::int32_t> ids;
  for (const SpecialTokens::Piece& piece : special_.split(text, special)) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      continue;
    }
    std::vector<int> more;
    const auto status = processor_->Encode(piece.text, &more);
    if (!status.ok()) {
      throw Error(ErrorKind::work, {.what = cat("SentencePiece fails: ", status.ToString()),
                                    .cure = "give a shorter text"});
    }
    ids.insert(ids.end(), more.begin(), more.end());
  }
  return ids;
}

}  // namespace qaq
