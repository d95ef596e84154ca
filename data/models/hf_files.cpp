#include "data/models/hf_files.h"

#include <filesystem>
#include <set>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/models/file_kind.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndex = "model.safetensors.index.json";

// Without the exceptions of the standard library, which know no cure: what cannot be looked at is
// refused when it is opened.
bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string folder_of(const std::string& path) {
  if (is_folder(path)) return path;
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

std::string in_folder(const std::string& folder, std::string_view name) {
  return (fs::path(folder) / name).string();
}

bool holds_pytorch_weights(const std::string& folder) {
  for (const char* name :
       {"pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth", "model.pt"}) {
    if (is_there(in_folder(folder, name))) return true;
  }
  return false;
}

JsonObject read_config(const std::string& folder) {
  const std::string path = in_folder(folder, "config.json");
  if (is_there(path)) return JsonObject::read(path);
  refuse_input({.file = folder,
                .place = "config.json",
                .what = "the file is missing",
                .cure = "give a Hugging Face folder with config.json and safetensors weights, or "
                        "a GGUF file"});
}

std::optional<JsonObject> read_generation(const std::string& folder) {
  const std::string path = in_folder(folder, "generation_config.json");
  return is_there(path) ? std::optional(JsonObject::read(path)) : std::nullopt;
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

HfFiles::ShardIndex read_index(const std::string& path) {
  const JsonObject index = JsonObject::read(path);
  const JsonObject weight_map = index.object("weight_map");
  HfFiles::ShardIndex shards;
  for (const auto& [tensor, shard] : weight_map.json().items()) {
    if (!shard.is_string()) weight_map.refuse(tensor, "is no name of a file");
    check_shard_name(index, shard.get<std::string>());
    shards[shard.get<std::string>()].push_back(tensor);
  }
  if (shards.empty()) index.refuse("weight_map", "names no tensor");
  return shards;
}

}  // namespace

HfFiles::HfFiles(const std::string& path)
    : folder_(folder_of(path)),
      config_(read_config(folder_)),
      generation_(read_generation(folder_)) {
  const std::string index = in_folder(folder_, kIndex);
  const std::string single = in_folder(folder_, "model.safetensors");
  const bool file_given = !is_folder(path);
  if (is_there(index)) {
    const ShardIndex shards = read_index(index);
    if (!file_given || shards.contains(fs::path(path).filename().string())) {
      open_shards(shards);
      return;
    }
  }
  if (!file_given && !is_there(single)) refuse_without_weights(folder_);
  shards_.push_back(std::make_unique<SafetensorsFile>(file_given ? path : single));
}

void HfFiles::open_shards(const ShardIndex& shards) {
  for (const auto& [shard, tensors] : shards) {
    const std::string path = in_folder(folder_, shard);
    if (!is_there(path)) {
      refuse_input({.file = folder_,
                    .place = shard,
                    .what = cat("the file is missing, and ", kIndex, " names it"),
                    .cure = "get the model's missing files"});
    }
    shards_.push_back(std::make_unique<SafetensorsFile>(path));
    std::set<std::string_view> present;
    for (const StoredTensor& tensor : shards_.back()->tensors()) present.insert(tensor.name);
    for (const std::string& tensor : tensors) {
      if (present.contains(tensor)) continue;
      refuse_input({.file = path,
                    .place = tensor,
                    .what = cat("the tensor is missing, and ", kIndex, " has it here"),
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
