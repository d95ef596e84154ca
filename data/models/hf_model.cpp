#include "data/models/hf_model.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/base/text.h"
#include "data/models/hf_config.h"
#include "data/models/tensor_names.h"

namespace qaq {
namespace {

std::string name_of_model(const HfFiles& files) {
  std::error_code ignored;
  const auto folder = std::filesystem::weakly_canonical(files.folder(), ignored);
  const std::string name = folder.filename().string();
  // Names of folders may hold any bytes; the name goes into JSON and captures.
  return name.empty() || invalid_utf8_offset(name) ? "unnamed" : name;
}

// Checkpoints of the bare model have names without "model.".
std::string_view prefix_of(const std::vector<StoredTensor>& tensors) {
  const auto has = [&](std::string_view prefix) {
    const std::string name = hf_tensor_name(WeightRole::embedding, 0, prefix);
    return std::ranges::find(tensors, name, &StoredTensor::name) != tensors.end();
  };
  return !has("model.") && has("") ? "" : "model.";
}

WeightTable weights_of(const HfFiles& files, const ModelSpec& spec, const std::string& file) {
  std::vector<StoredTensor> tensors = files.tensors();
  const std::string_view prefix = prefix_of(tensors);
  const auto name = [prefix](WeightRole role, std::int64_t layer) {
    return hf_tensor_name(role, layer, prefix);
  };
  // As transformers does, a head of its own is not used where the config says tied.
  const auto ignored = [&](const StoredTensor& tensor) {
    return is_ignored_hf_tensor(tensor.name) ||
           (spec.tied_embeddings && tensor.name == name(WeightRole::head, 0));
  };
  return {std::move(tensors), spec, {.name = name, .ignored = ignored}, file};
}

}  // namespace

ModelSpec spec_of(const HfFiles& files) {
  ModelSpec spec = hf_spec(files.config(), hf_family(files.config()), files.generation());
  spec.name = name_of_model(files);
  spec.weights_dtype = main_type(files.tensors());
  spec.config_json = files.config().json().dump();
  return spec;
}

HfModel::HfModel(const std::string& path, HfFiles files)
    : file_(path),
      files_(std::move(files)),
      spec_(spec_of(files_)),
      weights_(weights_of(files_, spec_, file_)) {}

const std::string& HfModel::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = files_.sha256(); });
  return sha256_;
}

}  // namespace qaq
