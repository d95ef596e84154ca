#include "data/tokenizers/json_value.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/json_object.h"
#include "data/models/mapped_file.h"

namespace qaq {

using nlohmann::json;

std::optional<JsonValue> JsonValue::find(const std::string& key) const {
  if (!json_->is_object()) refuse(cat("is no object, but should hold '", key, "'"));
  const auto at = json_->find(key);
  if (at == json_->end() || at->is_null()) return std::nullopt;
  return JsonValue(*at, *file_, place_.empty() ? key : place_ + "." + key);
}

JsonValue JsonValue::at(const std::string& key) const {
  const auto found = find(key);
  if (!found) refuse(cat("'", key, "' is missing"));
  return *found;
}

std::vector<JsonValue> JsonValue::elements() const {
  if (!json_->is_array()) refuse("is no list");
  std::vector<JsonValue> out;
  for (std::size_t i = 0; i < json_->size(); ++i) {
    out.emplace_back((*json_)[i], *file_, cat(place_, "[", i, "]"));
  }
  return out;
}

std::string JsonValue::text() const {
  if (!json_->is_string()) refuse("is no text");
  return json_->get<std::string>();
}

std::int64_t JsonValue::integer() const {
  if (!json_->is_number_integer()) refuse("is no whole number");
  return json_->get<std::int64_t>();
}

bool JsonValue::flag() const {
  if (!json_->is_boolean()) refuse("is neither true nor false");
  return json_->get<bool>();
}

std::string JsonValue::text_or(const std::string& key, const std::string& fallback) const {
  const auto found = find(key);
  return found ? found->text() : fallback;
}

bool JsonValue::flag_or(const std::string& key, bool fallback) const {
  const auto found = find(key);
  return found ? found->flag() : fallback;
}

void JsonValue::refuse(const std::string& what, const std::string& cure) const {
  refuse_input({.file = *file_,
                .place = place_,
                .what = what,
                .cure = cure.empty() ? "download the model's files again" : cure});
}

std::string read_file(const std::string& path) {
  const MappedFile map(path);
  return {reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()};
}

json read_json_object(const std::string& path) {
  const std::string text = read_file(path);
  json document;
  try {
    document = json::parse(text);
  } catch (const json::parse_error& error) {
    refuse_input({.file = path,
                  .place = json_place(text, error.byte > 0 ? error.byte - 1 : 0),
                  .what = "is not valid JSON",
                  .cure = "download the file again, or mend it there"});
  } catch (const json::out_of_range&) {
    refuse_input({.file = path,
                  .what = "has a number that is too large for any",
                  .cure = "download the file again, or mend it"});
  }
  if (!document.is_object()) {
    refuse_input(
        {.file = path, .what = "is no JSON object", .cure = "download the model's files again"});
  }
  return document;
}

}  // namespace qaq
