#include "app/wiring/inputs.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/engine/backend.h"
#include "data/files/whole_file.h"
#include "data/models/gguf_file.h"
#include "data/models/model_store.h"
#include "data/models/pruned_model.h"

namespace qaq {

std::shared_ptr<const ModelFile> open_model_named(const std::string& model, double prune_weights,
                                                  const Work& work) {
  return pruned_model(open_model(ModelStore().resolve(model)), prune_weights,
                      make_cpu_backend()->info().available_bytes, work);
}

std::shared_ptr<const ModelFile> open_model_of(const std::string& model, const CaptureInfo& info,
                                               double prune_weights, const Work& work) {
  auto out = open_model_named(model, prune_weights, work);
  if (!info.model_sha256.empty() && out->sha256() != info.model_sha256) {
    refuse_input({.file = model,
                  .what = cat("is not the model that ", info.name, " is of"),
                  .cure = cat("name ", info.model_name, ", whose SHA-256 begins with ",
                              info.model_sha256.substr(0, 12))});
  }
  return out;
}

std::shared_ptr<const Tokenizer> open_tokenizer_named(const std::string& model) {
  return open_tokenizer(ModelStore().resolve(model));
}

std::string checked_text(const std::string& flag, const std::string& text) {
  if (const auto offset = invalid_utf8_offset(text)) {
    refuse_input({.file = flag,
                  .place = cat("byte offset ", *offset),
                  .what = "is not valid UTF-8",
                  .cure = "save the text as UTF-8"});
  }
  return text;
}

std::string read_text_file(const std::string& path) {
  return checked_text(path, read_whole(path, "cannot be read", "give a readable text file"));
}

namespace {

std::vector<std::int64_t> json_ids(const std::string& path, const std::string& text) {
  try {
    return nlohmann::json::parse(text).get<std::vector<std::int64_t>>();
  } catch (const nlohmann::json::exception&) {
    refuse_input({.file = path,
                  .what = "is no JSON list of token ids",
                  .cure = "write [1, 2, 3] or the ids with white space between them"});
  }
}

std::vector<std::int64_t> spaced_ids(const std::string& path, const std::string& text) {
  std::vector<std::int64_t> ids;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::int64_t id = 0;
    const auto result = std::from_chars(word.data(), word.data() + word.size(), id);
    if (result.ec != std::errc() || result.ptr != word.data() + word.size()) {
      refuse_input({.file = path,
                    .place = cat("word ", ids.size() + 1),
                    .what = cat("'", word, "' is no token id"),
                    .cure = "write the ids with white space between them, or a JSON list"});
    }
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

std::vector<std::int32_t> read_tokens_file(const std::string& path, std::int64_t vocab_size) {
  const std::string text = read_text_file(path);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && text[first] == '[';
  const auto wide = json ? json_ids(path, text) : spaced_ids(path, text);
  std::vector<std::int32_t> ids;
  for (const std::int64_t id : wide) {
    if (id < 0 || id >= vocab_size) {
      refuse_input({.file = path,
                    .place = cat("token ", ids.size()),
                    .what = cat("id ", id, " is outside the vocabulary of ", vocab_size, " tokens"),
                    .cure = "give ids of this model's tokenizer (qaq tokenize)"});
    }
    ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

std::vector<std::int32_t> parse_layers(const std::string& text, std::int64_t n_layers) {
  const auto refuse = [&](const std::string& what) {
    refuse_usage({.place = "--layers",
                  .what = what,
                  .cure = cat("give layers from 0 to ", n_layers - 1, ", as in 0-3,14")});
  };
  const auto number = [&](const std::string& word) {
    std::int64_t value = -1;
    const auto result = std::from_chars(word.data(), word.data() + word.size(), value);
    if (result.ec != std::errc() || result.ptr != word.data() + word.size()) {
      refuse(cat("'", word, "' is no layer"));
    }
    if (value < 0 || value >= n_layers) refuse(cat("the model has no layer ", value));
    return value;
  };
  std::set<std::int32_t> layers;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t dash = part.find('-');
    const std::int64_t first = number(part.substr(0, dash));
    const std::int64_t last = dash == std::string::npos ? first : number(part.substr(dash + 1));
    if (last < first) refuse(cat("'", part, "' runs backwards"));
    for (std::int64_t layer = first; layer <= last; ++layer) {
      layers.insert(static_cast<std::int32_t>(layer));
    }
  }
  if (layers.empty()) refuse("names no layer");
  return {layers.begin(), layers.end()};
}

}  // namespace qaq
