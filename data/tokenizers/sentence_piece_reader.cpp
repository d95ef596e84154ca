#include <filesystem>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/json_value.h"
#include "data/tokenizers/sentence_piece_tokenizer.h"
#include "data/tokenizers/tokenizer_config.h"

namespace qaq {
namespace {

[[noreturn]] void refuse(const SentencePieceParts& parts, const std::string& what) {
  refuse_input({.file = parts.file, .what = what, .cure = "download the model's files again"});
}

// Tokens that came after training lie beside tokenizer.model; those that are its own pieces are
// listed there too.
void take_added(const TokenizerConfig& config, SentencePieceParts& parts) {
  const auto n_pieces = std::ssize(parts.model.pieces);
  for (const auto& [id, added] : config.added) {
    const auto next = n_pieces + std::ssize(parts.added);
    if (id < n_pieces) {
      const std::string& piece = parts.model.pieces[static_cast<std::size_t>(id)].text;
      if (piece == added.text) continue;
      refuse(parts,
             cat("token ", id, " is '", piece, "', but '", added.text, "' among the added tokens"));
    }
    if (id != next) refuse(parts, cat("between the added tokens, token ", next, " is missing"));
    parts.added.push_back({added.text, added.special});
  }
}

std::optional<std::int32_t> beginning_of(const TokenizerConfig& config,
                                         const SentencePieceParts& parts) {
  // LLaMA's own default, where tokenizer_config.json does not say.
  if (!config.add_beginning.value_or(true)) return std::nullopt;
  const auto& pieces = parts.model.pieces;
  if (config.beginning.empty()) {
    const std::int64_t id = parts.model.beginning;
    if (id < 0 || id >= std::ssize(pieces)) return std::nullopt;
    return static_cast<std::int32_t>(id);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].text == config.beginning) return static_cast<std::int32_t>(i);
  }
  for (std::size_t i = 0; i < parts.added.size(); ++i) {
    if (parts.added[i].text == config.beginning)
      return static_cast<std::int32_t>(pieces.size() + i);
  }
  refuse(parts, cat("tokenizer_config.json names the beginning token '", config.beginning,
                    "', which is no token"));
}

}  // namespace

std::shared_ptr<const Tokenizer> read_sentence_piece_tokenizer(const std::string& folder) {
  const TokenizerConfig config = read_tokenizer_config(folder);
  SentencePieceParts parts;
  parts.file = (std::filesystem::path(folder) / "tokenizer.model").string();
  parts.model = parse_sentence_piece(read_file(parts.file), parts.file);
  take_added(config, parts);
  parts.beginning = beginning_of(config, parts);
  return std::make_shared<SentencePieceTokenizer>(parts);
}

}  // namespace qaq
