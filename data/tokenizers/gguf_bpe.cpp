#include <unordered_map>

#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/tokenizers/bpe_tokenizer.h"
#include "data/tokenizers/byte_alphabet.h"
#include "data/tokenizers/gguf_pre_tokenizers.h"
#include "data/tokenizers/gguf_tokenizer.h"

namespace qaq {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kMerges = "tokenizer.ggml.merges";
constexpr const char* kPre = "tokenizer.ggml.pre";

using TokenIds = std::unordered_map<std::string_view, std::int32_t>;

TokenIds ids_of(const GgufMetadata& metadata, const std::vector<std::string_view>& tokens) {
  TokenIds ids;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto [at, is_new] = ids.emplace(tokens[i], static_cast<std::int32_t>(i));
    if (!is_new) metadata.refuse(kTokens, cat("tokens ", at->second, " and ", i, " are the same"));
  }
  return ids;
}

// A rule is "left right". Texts of tokens that merge hold no space: a space is another letter.
BpeMerges merges_of(const GgufMetadata& metadata, const TokenIds& ids) {
  BpeMerges merges;
  for (const std::string_view rule : metadata.texts(kMerges)) {
    const std::size_t space = rule.find(' ');
    const auto refuse = [&](const std::string& what) {
      metadata.refuse(kMerges, cat("merge '", display_text({GgufType::string, rule}), "' ", what));
    };
    if (space == std::string_view::npos) refuse("has no space between its parts");
    const std::string_view left = rule.substr(0, space), right = rule.substr(space + 1);
    const auto left_id = ids.find(left), right_id = ids.find(right);
    if (left_id == ids.end() || right_id == ids.end()) refuse("has a part that is no token");
    const auto merged_id = ids.find(cat(left, right));
    if (merged_id == ids.end()) refuse("makes a text that is no token");
    merges.add(left_id->second, right_id->second, merged_id->second);
  }
  return merges;
}

GgufPreTokenizer pre_of(const GgufMetadata& metadata) {
  const std::string name = metadata.text(kPre);
  if (auto pre = find_gguf_pre_tokenizer(name)) return std::move(*pre);
  std::string known;
  for (const std::string& each : gguf_pre_tokenizer_names()) {
    known += (known.empty() ? "" : ", ") + each;
  }
  metadata.refuse(kPre, cat("the pre-tokenizer '", name, "' is unknown"),
                  "a guess would give wrong tokens; known are " + known);
}

// Of all that decides which ids a text gets. Lengths keep neighbours apart.
std::string hash_of(const GgufMetadata& metadata, const std::vector<std::int64_t>& types) {
  Sha256 hash;
  hash.update(cat(metadata.text(kPre), '\n'));
  for (const char* key : {kTokens, kMerges}) {
    const auto texts = metadata.texts(key);
    hash.update(cat(key, ' ', texts.size(), '\n'));
    for (const std::string_view text : texts) {
      hash.update(cat(text.size(), ' '));
      hash.update(text);
    }
  }
  for (const std::int64_t type : types) hash.update(cat(type, ' '));
  return hash.finish();
}

}  // namespace

std::shared_ptr<const Tokenizer> read_gguf_bpe(const GgufMetadata& metadata) {
  const auto tokens = gguf_tokens(metadata);
  const auto types = gguf_token_types(metadata, tokens.size());
  const TokenIds ids = ids_of(metadata, tokens);
  GgufPreTokenizer pre = pre_of(metadata);

  TokenTable table;
  BpeModel model;
  model.ignore_merges = pre.ignore_merges;
  std::vector<SpecialTokens::Token> special;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    if (types[i] == kControlToken || types[i] == kUserDefinedToken || types[i] == kUnknownToken) {
      special.push_back({std::string(tokens[i]), id, types[i] != kUserDefinedToken});
      table.special.push_back(id);
      table.bytes.emplace_back(tokens[i]);
      continue;
    }
    table.bytes.push_back(bytes_of_letters(tokens[i]));
    if (is_in_letters(tokens[i])) model.add_token(table.bytes.back(), id);
    if (const auto byte = byte_of_letter(tokens[i])) model.add_byte(*byte, id);
  }
  model.merges = merges_of(metadata, ids);
  table.beginning = gguf_beginning(metadata, tokens.size(), pre.adds_beginning);
  table.kind = "byte-level-bpe";
  table.sha256 = hash_of(metadata, types);
  return std::make_shared<BpeTokenizer>(std::move(table), SpecialTokens(std::move(special)),
                                        std::move(pre.split), std::move(model));
}

}  // namespace qaq
