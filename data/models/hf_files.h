#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/models/json_object.h"
#include "data/models/safetensors_file.h"

namespace qaq {

/// The files of a model in Hugging Face's form: config.json, generation_config.json where there is
/// one, and the safetensors files: all that model.safetensors.index.json names, else
/// model.safetensors, or one file that was asked for. Nothing else in the folder is opened.
class HfFiles {
 public:
  /// Tensors that model.safetensors.index.json places in each file.
  using ShardIndex = std::map<std::string, std::vector<std::string>>;

  /// `path` is the folder, or a safetensors file in it. Throws Error{input} naming what is missing,
  /// a shard outside the folder, or a tensor that is not in the shard where the index has it.
  explicit HfFiles(const std::string& path);

  const std::string& folder() const { return folder_; }
  const JsonObject& config() const { return config_; }
  const std::optional<JsonObject>& generation() const { return generation_; }
  /// In order of their names.
  const std::vector<std::unique_ptr<SafetensorsFile>>& shards() const { return shards_; }
  std::vector<StoredTensor> tensors() const;
  /// SHA-256 of one file; of several that of their hashes, one after the other by name.
  std::string sha256() const;

 private:
  void open_shards(const ShardIndex& shards);

  std::string folder_;
  JsonObject config_;
  std::optional<JsonObject> generation_;
  std::vector<std::unique_ptr<SafetensorsFile>> shards_;
};

}  // namespace qaq
