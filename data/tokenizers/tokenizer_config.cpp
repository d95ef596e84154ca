#include "data/tokenizers/tokenizer_config.h"

#include <filesystem>

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

}  // namespace

TokenizerConfig read_tokenizer_config(const std::string& folder) {
  TokenizerConfig config;
  const std::string path = folder + "/tokenizer_config.json";
  if (std::filesystem::exists(path)) {
    const nlohmann::json document = read_json_object(path);
    const JsonValue root(document, path);
    config.beginning = token_text(root, "bos_token");
    config.end = token_text(root, "eos_token");
    if (const auto add = root.find("add_bos_token")) config.add_beginning = add->flag();
    config.chat_template = chat_template_of(root);
  }
  const std::string jinja = folder + "/chat_template.jinja";
  if (std::filesystem::exists(jinja)) config.chat_template = read_file(jinja);
  return config;
}

}  // namespace qaq
