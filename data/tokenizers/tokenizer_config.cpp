#include "data/tokenizers/tokenizer_config.h"

#include <charconv>
#include <filesystem>

#include "core/base/text.h"
#include "data/tokenizers/json_value.h"

namespace qaq {
namespace {

// A token is its text, or an object that holds it beside its flags.
std::string token_text(const JsonValue& config, const std::string& key) {
  const auto token = config.find(key);
  if (!token) return {};
  return token->json().is_object() ? token->at("content").text() : token->text();
}

std::string chat_template_of(const JsonValue& config) {
  const auto value = config.find("chat_template");
  if (!value) return {};
  if (!value->json().is_array()) return value->text();
  for (const JsonValue& each : value->elements()) {
    if (each.at("name").text() == "default") return each.at("template").text();
  }
  value->refuse("none of the chat templates has the name 'default'");
}

// Models have some thousands of such tokens at most; a table is made of the ids.
constexpr std::int64_t kMaxId = 1 << 24;

std::int32_t id_of(const JsonValue& place, std::int64_t id) {
  if (id < 0 || id > kMaxId) place.refuse(cat("the id ", id, " is out of range"));
  return static_cast<std::int32_t>(id);
}

// {"32000": {"content": "<|im_start|>", "special": true, ...}, ...}
void read_added_tokens_decoder(const JsonValue& config, TokenizerConfig& out) {
  const auto tokens = config.find("added_tokens_decoder");
  if (!tokens) return;
  if (!tokens->json().is_object()) tokens->refuse("is no object of ids and tokens");
  for (const auto& [key, ignored] : tokens->json().items()) {
    std::int64_t id = -1;
    const auto result = std::from_chars(key.data(), key.data() + key.size(), id);
    if (result.ptr != key.data() + key.size()) tokens->refuse(cat("'", key, "' is no id"));
    const JsonValue token = tokens->at(key);
    out.added[id_of(*tokens, id)] = {token.at("content").text(), token.flag_or("special", false)};
  }
}

// {"<|im_start|>": 32000, ...}
void read_added_tokens(const JsonValue& tokens, TokenizerConfig& out) {
  for (const auto& [text, ignored] : tokens.json().items()) {
    const std::int32_t id = id_of(tokens, tokens.at(text).integer());
    out.added.try_emplace(id, TokenizerConfig::Added{text, true});
  }
}

}  // namespace

TokenizerConfig read_tokenizer_config(const std::string& folder) {
  namespace fs = std::filesystem;
  TokenizerConfig config;
  const auto path_of = [&](const char* name) { return (fs::path(folder) / name).string(); };
  if (const std::string path = path_of("tokenizer_config.json"); fs::exists(path)) {
    const nlohmann::json document = read_json_object(path);
    const JsonValue root(document, path);
    config.beginning = token_text(root, "bos_token");
    config.end = token_text(root, "eos_token");
    if (const auto add = root.find("add_bos_token")) config.add_beginning = add->flag();
    read_added_tokens_decoder(root, config);
    config.chat_template = chat_template_of(root);
  }
  if (const std::string path = path_of("added_tokens.json"); fs::exists(path)) {
    const nlohmann::json document = read_json_object(path);
    read_added_tokens(JsonValue(document, path), config);
  }
  if (const std::string path = path_of("chat_template.jinja"); fs::exists(path)) {
    config.chat_template = read_file(path);
  }
  return config;
}

}  // namespace qaq
