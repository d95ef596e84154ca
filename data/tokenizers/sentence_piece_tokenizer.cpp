#include "data/tokenizers/sentence_piece_tokenizer.h"

#include <sentencepiece_processor.h>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/tokenizers/byte_token.h"
#include "data/tokenizers/json_value.h"
#include "data/tokenizers/tokenizer_config.h"

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
  table.drops_leading_space = parts.model.add_dummy_prefix;
  table.beginning = parts.beginning;
  table.kind = "sentencepiece-bpe";
  table.sha256 = sha256_hex(parts.model.serialized());
  return table;
}

SpecialTokens special_of(const SentencePieceParts& parts) {
  std::vector<SpecialTokens::Token> tokens;
  for (std::size_t i = 0; i < parts.model.pieces.size(); ++i) {
    const SentencePieceModel::Piece& piece = parts.model.pieces[i];
    const bool user_defined = piece.type == Type::user_defined && parts.cut_user_defined;
    if (!is_special(piece.type) && !user_defined) continue;
    tokens.push_back({piece.text, static_cast<std::int32_t>(i), !user_defined});
  }
  return SpecialTokens(std::move(tokens));
}

std::optional<std::int32_t> beginning_of(const SentencePieceModel& model,
                                         const TokenizerConfig& config, const std::string& file) {
  // LLaMA's own default, where tokenizer_config.json does not say.
  if (!config.add_beginning.value_or(true)) return std::nullopt;
  if (config.beginning.empty()) {
    if (model.beginning < 0 || model.beginning >= std::ssize(model.pieces)) return std::nullopt;
    return static_cast<std::int32_t>(model.beginning);
  }
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    if (model.pieces[i].text == config.beginning) return static_cast<std::int32_t>(i);
  }
  refuse_input({.file = file,
                .what = cat("tokenizer_config.json names the beginning token '", config.beginning,
                            "', which is no piece"),
                .cure = "download the model's files again"});
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

std::shared_ptr<const Tokenizer> read_sentence_piece_tokenizer(const std::string& folder) {
  SentencePieceParts parts;
  parts.file = folder + "/tokenizer.model";
  parts.model = parse_sentence_piece(read_file(parts.file), parts.file);
  parts.beginning = beginning_of(parts.model, read_tokenizer_config(folder), parts.file);
  return std::make_shared<SentencePieceTokenizer>(parts);
}

}  // namespace qaq
