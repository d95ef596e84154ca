#include "data/tokenizers/json_bpe.h"

#include <utility>

#include "core/base/text.h"
#include "data/tokenizers/byte_alphabet.h"
#include "data/tokenizers/byte_token.h"

namespace qaq {
namespace {

using nlohmann::json;
using Ids = std::unordered_map<std::string_view, std::int32_t>;

std::string_view text_of(const json& value) { return value.get_ref<const std::string&>(); }

Ids read_vocabulary(const JsonValue& part) {
  if (!part.json().is_object()) part.refuse("is no object of tokens and ids");
  Ids ids;
  std::unordered_map<std::int64_t, std::string_view> texts;
  for (const auto& [text, id] : part.json().items()) {
    if (!id.is_number_integer()) part.refuse(cat("the id of '", text, "' is no whole number"));
    const auto number = id.get<std::int64_t>();
    // A table is made of them; gaps are legal, but none that is wider than the vocabulary.
    if (number < 0 || number > 1024 + 2 * static_cast<std::int64_t>(part.json().size())) {
      part.refuse(cat("the id ", number, " of '", text, "' is out of range"));
    }
    const auto [at, is_new] = texts.emplace(number, text);
    if (!is_new) part.refuse(cat("'", at->second, "' and '", text, "' have the same id ", number));
    ids.emplace(text, static_cast<std::int32_t>(number));
  }
  return ids;
}

// A rule is ["left", "right"], or "left right" in older files.
std::pair<std::string_view, std::string_view> rule_of(const JsonValue& part, std::size_t i) {
  const json& rule = part.json()[i];
  if (rule.is_array() && rule.size() == 2 && rule[0].is_string() && rule[1].is_string()) {
    return {text_of(rule[0]), text_of(rule[1])};
  }
  if (rule.is_string()) {
    const std::string_view text = text_of(rule);
    const std::size_t space = text.find(' ');
    if (space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  part.refuse(cat("merge ", i, " is no pair of texts: ", rule.dump()));
}

void read_merges(const JsonValue& part, const Ids& ids, BpeMerges& merges) {
  if (!part.json().is_array()) part.refuse("is no list of merges");
  for (std::size_t i = 0; i < part.json().size(); ++i) {
    const auto [left, right] = rule_of(part, i);
    const auto id_of = [&](const std::string& text) {
      const auto at = ids.find(text);
      if (at != ids.end()) return at->second;
      part.refuse(cat("merge ", i, " ('", left, "' and '", right, "'): '", text, "' is no token"));
    };
    const std::int32_t left_id = id_of(std::string(left)), right_id = id_of(std::string(right));
    merges.add(left_id, right_id, id_of(cat(left, right)));
  }
}

// Settings that change the ids and that no known model uses.
void refuse_unsupported(const JsonValue& part) {
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto value = part.find(key);
    if (!value || value->json() == "" || value->json() == 0.0) continue;
    value->refuse(cat(key, " is not supported"), "use a model without it");
  }
}

}  // namespace

JsonBpe read_json_bpe(const JsonValue& part, bool byte_level) {
  const std::string type = part.text_or("type", "BPE");  // older files do not say
  if (type != "BPE") {
    part.refuse(cat("the tokenizer model '", type, "' is not supported"),
                "use a model with a BPE tokenizer, as LLaMA, Mistral, Qwen and SmolLM have");
  }
  refuse_unsupported(part);
  JsonBpe out;
  out.ids = read_vocabulary(part.at("vocab"));
  BpeModel& model = out.model;
  model.byte_level = byte_level;
  model.ignore_merges = part.flag_or("ignore_merges", false);
  model.byte_fallback = part.flag_or("byte_fallback", false);
  model.fuse_unknown = part.flag_or("fuse_unk", false);
  model.missing = BpeModel::Missing::left_out;
  if (const auto unknown = part.find("unk_token")) {
    const auto at = out.ids.find(unknown->text());
    if (at == out.ids.end()) unknown->refuse(cat("'", unknown->text(), "' is no token"));
    model.unknown = at->second;
  }
  for (const auto& [text, id] : out.ids) {
    if (!byte_level) {
      model.add_token(std::string(text), id);
      if (const auto byte = byte_of_token(text)) model.add_byte(*byte, id);
    } else if (is_in_letters(text)) {
      model.add_token(bytes_of_letters(text), id);
      if (const auto byte = byte_of_letter(text)) model.add_byte(*byte, id);
    }
  }
  read_merges(part.at("merges"), out.ids, model.merges);
  return out;
}

}  // namespace qaq
