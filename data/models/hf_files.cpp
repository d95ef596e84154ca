#include "data/models/hf_files.h"

#include <filesystem>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/models/file_kind.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const std::string& path) {
  if (fs::is_directory(path)) return path;
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

std::string in_folder(const std::string& folder, std::string_view name) {
  return (fs::path(folder) / name).string();
}

bool holds_pytorch_weights(const std::string& folder) {
  for (const char* name :
       {"pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth", "model.pt"}) {
    if (fs::exists(in_folder(folder, name))) return true;
  }
  return false;
}

JsonObject read_config(const std::string& folder) {
  const std::string path = in_folder(folder, "config.json");
  if (fs::exists(path)) return JsonObject::read(path);
  refuse_input({.file = folder,
                .place = "config.json",
                .what = "the file is missing",
                .cure = "give a Hugging Face folder with config.json and safetensors weights, or "
                        "a GGUF file"});
}

std::optional<JsonObject> read_generation(const std::string& folder) {
  const std::string path = in_folder(folder, "generation_config.json");
  return fs::exists(path) ? std::optional(JsonObject::read(path)) : std::nullopt;
}

[[noreturn]] void refuse_without_weights(const std::string& folder) {
  if (holds_pytorch_weights(folder)) {
    refuse_input({.file = folder,
                  .what = "holds PyTorch weights alone, which are not read",
                  .cure = pytorch_cure()});
  }
  refuse_input({.file = folder,
                .place = "model.safetensors",
                .what = "the file is missing, and so is model.safetensors.index.json",
                .cure = "give a folder with safetensors weights, or a GGUF file"});
}

// A plain name: whatever an index says, nothing outside its folder is opened.
void check_shard_name(const JsonObject& index, const std::string& name) {
  if (!name.empty() && name != "." && name != ".." && name.find_first_of("/\\") == name.npos &&
      name.find('\0') == name.npos) {
    return;
  }
  index.refuse("weight_map", cat("'", name, "' is no name of a file in the model's folder"),
               "get the model again from a source that you trust");
}

}  // namespace

HfFiles::HfFiles(const std::string& path)
    : folder_(folder_of(path)),
      config_(read_config(folder_)),
      generation_(read_generation(folder_)) {
  const std::string index = in_folder(folder_, "model.safetensors.index.json");
  const std::string single = in_folder(folder_, "model.safetensors");
  const bool file_given = !fs::is_directory(path);
  if (fs::exists(index)) {
    open_indexed(index);
    const bool is_shard = !file_given || [&] {
      for (const auto& shard : shards_) {
        if (fs::path(shard->file()).filename() == fs::path(path).filename()) return true;
      }
      return false;
    }();
    if (is_shard) return;
    shards_.clear();
  }
  if (file_given) {
    shards_.push_back(std::make_unique<SafetensorsFile>(path));
  } else if (fs::exists(single)) {
    shards_.push_back(std::make_unique<SafetensorsFile>(single));
  } else {
    refuse_without_weights(folder_);
  }
}

void HfFiles::open_indexed(const std::string& index_path) {
  const JsonObject index = JsonObject::read(index_path);
  const JsonObject weight_map = index.object("weight_map");
  std::map<std::string, std::vector<std::string>> tensors_by_shard;
  for (const auto& [tensor, shard] : weight_map.json().items()) {
    if (!shard.is_string()) weight_map.refuse(tensor, "is no name of a file");
    check_shard_name(index, shard.get<std::string>());
    tensors_by_shard[shard.get<std::string>()].push_back(tensor);
  }
  for (const auto& [shard, tensors] : tensors_by_shard) {
    const std::string path = in_folder(folder_, shard);
    if (!fs::exists(path)) {
      refuse_input({.file = folder_,
                    .place = shard,
                    .what = "the file is missing, and model.safetensors.index.json names it",
                    .cure = "get the model's missing files"});
    }
    shards_.push_back(std::make_unique<SafetensorsFile>(path));
    std::set<std::string_view> present;
    for (const StoredTensor& tensor : shards_.back()->tensors()) present.insert(tensor.name);
    for (const std::string& tensor : tensors) {
      if (present.contains(tensor)) continue;
      refuse_input({.file = path,
                    .place = tensor,
                    .what = "the tensor is missing, and model.safetensors.index.json has it here",
                    .cure = "get the model again"});
    }
  }
}

std::vector<StoredTensor> HfFiles::tensors() const {
  std::vector<StoredTensor> out;
  for (const auto& shard : shards_) {
    out.insert(out.end(), shard->tensors().begin(), shard->tensors().end());
  }
  return out;
}

std::string HfFiles::sha256() const {
  if (shards_.size() == 1) return shards_.front()->sha256();
  Sha256 hash;
  for (const auto& shard : shards_) hash.update(shard->sha256());
  return hash.finish();
}

}  // namespace qaq
