#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/tokenizers/json_bpe.h"
#include "data/tokenizers/json_steps.h"
#include "data/tokenizers/json_tokenizer.h"
#include "data/tokenizers/tokenizer_config.h"

namespace qaq {
namespace {

struct Added {
  AddedTokens::Token token;
  bool normalized = false;
};

std::vector<Added> read_added_tokens(const JsonValue& root, const JsonBpe& bpe) {
  std::vector<Added> out;
  const auto list = root.find("added_tokens");
  if (!list) return out;
  const auto elements = list->elements();
  const auto most = static_cast<std::int64_t>(1024 + 2 * (bpe.ids.size() + elements.size()));
  for (const JsonValue& each : elements) {
    Added added;
    added.token.text = each.at("content").text();
    const std::int64_t id = each.at("id").integer();
    if (id < 0 || id > most) each.refuse(cat("the id ", id, " is out of range"));
    added.token.id = static_cast<std::int32_t>(id);
    const auto known = bpe.ids.find(added.token.text);
    if (known != bpe.ids.end() && known->second != added.token.id) {
      each.refuse(cat("'", added.token.text, "' has the id ", id, ", but ", known->second,
                      " in the vocabulary"));
    }
    added.token.special = each.flag_or("special", false);
    added.token.single_word = each.flag_or("single_word", false);
    added.token.lstrip = each.flag_or("lstrip", false);
    added.token.rstrip = each.flag_or("rstrip", false);
    added.normalized = each.flag_or("normalized", !added.token.special);
    out.push_back(std::move(added));
  }
  return out;
}

std::vector<std::string> bytes_by_id(const JsonBpe& bpe, const std::vector<Added>& added,
                                     const JsonDecoder& decoder) {
  std::int32_t last = -1;
  for (const auto& [text, id] : bpe.ids) last = std::max(last, id);
  for (const Added& each : added) last = std::max(last, each.token.id);
  std::vector<std::string> bytes(static_cast<std::size_t>(last + 1));
  for (const auto& [text, id] : bpe.ids) {
    bytes[static_cast<std::size_t>(id)] = decoder.bytes(std::string(text));
  }
  // An added token stands for its own text.
  for (const Added& each : added) bytes[static_cast<std::size_t>(each.token.id)] = each.token.text;
  return bytes;
}

// transformers goes by add_bos_token where tokenizer_config.json has it, else by the
// post-processor.
std::optional<std::int32_t> beginning_of(const JsonValue& root, const TokenizerConfig& config,
                                         const JsonBpe& bpe, const std::vector<Added>& added) {
  const auto by_template = read_beginning(root.find("post_processor"));
  if (!config.add_beginning) return by_template;
  if (!*config.add_beginning) return std::nullopt;
  for (const Added& each : added) {
    if (each.token.text == config.beginning) return each.token.id;
  }
  const auto at = bpe.ids.find(config.beginning);
  if (at != bpe.ids.end()) return at->second;
  refuse_input({.file = root.file(),
                .what = cat("tokenizer_config.json asks for the beginning token '",
                            config.beginning, "', which is no token"),
                .cure = "download the model's files again"});
}

void check_beginning(const JsonValue& root, const TokenTable& table) {
  if (!table.beginning) return;
  if (*table.beginning >= 0 && *table.beginning < std::ssize(table.bytes)) return;
  root.at("post_processor").refuse(cat("the token ", *table.beginning, " is out of range"));
}

}  // namespace

std::shared_ptr<const Tokenizer> read_json_tokenizer(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "tokenizer.json").string();
  const nlohmann::json document = read_json_object(path);
  const JsonValue root(document, path);
  const TokenizerConfig config = read_tokenizer_config(folder);

  JsonPipeline pipeline;
  pipeline.normalizer = read_normalizer(root.find("normalizer"));
  JsonPreTokenizer pre = read_pre_tokenizer(root.find("pre_tokenizer"));
  pipeline.pre_tokenizer = std::move(pre.split);
  JsonBpe bpe = read_json_bpe(root.at("model"), pre.byte_level);
  const std::vector<Added> added = read_added_tokens(root, bpe);
  const JsonDecoder decoder = read_decoder(root.find("decoder"), pre.byte_level);

  pipeline.table.bytes = bytes_by_id(bpe, added, decoder);
  if (pipeline.table.bytes.empty()) root.at("model").refuse("there are no tokens");
  pipeline.table.drops_leading_space = decoder.drops_leading_space;
  pipeline.table.beginning = beginning_of(root, config, bpe, added);
  check_beginning(root, pipeline.table);
  pipeline.table.kind = pre.byte_level ? "byte-level-bpe" : "bpe";
  pipeline.table.sha256 = sha256_of_file(path);

  std::vector<AddedTokens::Token> raw, normalized;
  for (const Added& each : added) {
    AddedTokens::Token token = each.token;
    if (token.special) pipeline.table.special.push_back(token.id);
    if (each.normalized) token.text = pipeline.normalizer.apply(token.text);
    (each.normalized ? normalized : raw).push_back(std::move(token));
  }
  pipeline.raw = AddedTokens(std::move(raw));
  pipeline.normalized = AddedTokens(std::move(normalized));
  pipeline.model = std::move(bpe.model);
  return std::make_shared<JsonTokenizer>(std::move(pipeline));
}

}  // namespace qaq
