#include "data/tokenizers/tokenizer.h"

#include <unordered_map>

#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/models/gguf_file.h"
#include "data/models/model_file.h"
#include "data/tokenizers/bpe_tokenizer.h"
#include "data/tokenizers/byte_alphabet.h"

namespace qaq {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";
constexpr const char* kMerges = "tokenizer.ggml.merges";

// Values of tokenizer.ggml.token_type.
enum TokenType : std::int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4 };

using TokenIds = std::unordered_map<std::string_view, std::int32_t>;

TokenIds ids_of(const GgufMetadata& metadata, const std::vector<std::string_view>& tokens) {
  TokenIds ids;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto [at, is_new] = ids.emplace(tokens[i], static_cast<std::int32_t>(i));
    if (!is_new) metadata.refuse(kTokens, cat("tokens ", at->second, " and ", i, " are the same"));
  }
  return ids;
}

std::vector<std::int64_t> types_of(const GgufMetadata& metadata, std::size_t n_tokens) {
  if (!metadata.contains(kTypes)) return std::vector<std::int64_t>(n_tokens, kNormal);
  std::vector<std::int64_t> types = metadata.integers(kTypes);
  if (types.size() != n_tokens) {
    metadata.refuse(kTypes, cat("has ", types.size(), " values for ", n_tokens, " tokens"));
  }
  return types;
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

const PreTokenizer* pre_of(const GgufMetadata& metadata) {
  const std::string name = metadata.text("tokenizer.ggml.pre");
  if (const PreTokenizer* pre = PreTokenizer::find(name)) return pre;
  std::string known;
  for (const std::string& each : PreTokenizer::names()) known += (known.empty() ? "" : ", ") + each;
  metadata.refuse("tokenizer.ggml.pre", cat("the pre-tokenizer '", name, "' is unknown"),
                  "a guess would give wrong tokens; known are " + known);
}

std::optional<std::int32_t> beginning_of(const GgufMetadata& metadata, std::size_t n_tokens) {
  if (!metadata.flag_or("tokenizer.ggml.add_bos_token", false)) return std::nullopt;
  const std::int64_t id = metadata.count("tokenizer.ggml.bos_token_id");
  if (id >= static_cast<std::int64_t>(n_tokens)) {
    metadata.refuse("tokenizer.ggml.bos_token_id",
                    cat(id, " is out of range: the vocabulary has ", n_tokens, " tokens"));
  }
  return static_cast<std::int32_t>(id);
}

// Of all that decides which ids a text gets. Lengths keep neighbours apart.
std::string hash_of(const GgufMetadata& metadata, const std::vector<std::int64_t>& types) {
  Sha256 hash;
  hash.update(cat(metadata.text("tokenizer.ggml.pre"), '\n'));
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

std::shared_ptr<const Tokenizer> make_tokenizer(const GgufFile& gguf) {
  const GgufMetadata& metadata = gguf.metadata();
  const std::string model = metadata.text("tokenizer.ggml.model");
  if (model != "gpt2") {
    metadata.refuse("tokenizer.ggml.model", cat("the tokenizer '", model, "' is not read"),
                    "use a model with a byte-level BPE tokenizer (gpt2)");
  }
  const auto tokens = metadata.texts(kTokens);
  if (tokens.empty()) metadata.refuse(kTokens, "there are no tokens");
  const auto types = types_of(metadata, tokens.size());
  const TokenIds ids = ids_of(metadata, tokens);

  BpeVocabulary vocabulary;
  vocabulary.byte_ids.fill(-1);
  std::vector<SpecialTokens::Token> special;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    if (types[i] == kControl || types[i] == kUserDefined || types[i] == kUnknown) {
      special.push_back({std::string(tokens[i]), id, types[i] != kUserDefined});
      vocabulary.bytes.emplace_back(tokens[i]);
      continue;
    }
    vocabulary.bytes.push_back(bytes_of_letters(tokens[i]));
    if (const auto byte = byte_of_letter(tokens[i])) vocabulary.byte_ids[*byte] = id;
  }
  vocabulary.pre = pre_of(metadata);
  vocabulary.merges = merges_of(metadata, ids);
  vocabulary.special = SpecialTokens(std::move(special));
  vocabulary.beginning = beginning_of(metadata, tokens.size());
  vocabulary.sha256 = hash_of(metadata, types);
  return std::make_shared<BpeTokenizer>(std::move(vocabulary));
}

bool begins_with_beginning(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  const auto beginning = tokenizer.beginning_id();
  return beginning && !ids.empty() && ids.front() == *beginning;
}

std::shared_ptr<const Tokenizer> make_tokenizer(const ModelFile& model) {
  return make_tokenizer(*model.gguf());
}

std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& path) {
  return make_tokenizer(GgufFile(path));
}

}  // namespace qaq
