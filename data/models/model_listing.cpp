#include "data/models/model_listing.h"

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/file_kind.h"
#include "data/models/gguf_model.h"
#include "data/models/hf_model.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

constexpr std::array kHfFiles{"config.json",           "generation_config.json",
                              "tokenizer.json",        "tokenizer.model",
                              "tokenizer_config.json", "model.safetensors.index.json"};

std::string with_file_count(const std::string& format, std::size_t n_files) {
  return n_files == 1 ? format : cat(format, ", ", n_files, " files");
}

void add_tensors(const std::vector<StoredTensor>& tensors, ModelListing& listing) {
  for (const StoredTensor& tensor : tensors) {
    listing.tensors.push_back({tensor.name, std::string(tensor.type_name), tensor.shape,
                               static_cast<std::int64_t>(tensor.bytes.size())});
  }
}

// Whether it can be run, which opening it decides; weights are not looked at for that.
template <class Open>
void add_spec(ModelListing& listing, Open open) {
  try {
    listing.spec = open().spec();
  } catch (const Error& error) {
    listing.refusal = error.what();
  }
}

std::string gguf_tokenizer(const GgufMetadata& metadata) {
  const auto text = [&](std::string_view key) {
    const GgufValue* value = metadata.find(key);
    return value ? display_text(*value) : std::string();
  };
  const std::string model = text("tokenizer.ggml.model"), pre = text("tokenizer.ggml.pre");
  if (model.empty()) return {};
  const GgufValue* tokens = metadata.find("tokenizer.ggml.tokens");
  const auto* array = tokens ? std::get_if<GgufArray>(&tokens->data) : nullptr;
  return cat(model, pre.empty() ? "" : " (" + pre + ")", ", ", array ? array->count : 0, " tokens");
}

ModelListing list_gguf(const std::string& path) {
  GgufParts parts(path);
  ModelListing listing;
  listing.format =
      with_file_count(cat("GGUF version ", parts.first().version()), parts.files().size());
  for (const auto& file : parts.files()) {
    listing.files.push_back(file->file());
    listing.n_bytes += static_cast<std::int64_t>(file->n_bytes());
  }
  for (const GgufEntry& entry : parts.metadata().entries()) {
    listing.metadata.emplace_back(entry.key, display_text(entry.value));
  }
  add_tensors(parts.tensors(), listing);
  listing.tokenizer = gguf_tokenizer(parts.metadata());
  add_spec(listing, [&] { return GgufModel(std::move(parts)); });
  return listing;
}

// The file that the tokenizer of a folder is read from; empty where there is none.
std::string hf_tokenizer(const fs::path& folder) {
  for (const char* name : {"tokenizer.json", "tokenizer.model"}) {
    if (fs::exists(folder / name)) return name;
  }
  return {};
}

ModelListing list_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  ModelListing listing;
  listing.format = "safetensors";
  listing.files = {path};
  listing.n_bytes = static_cast<std::int64_t>(file.n_bytes());
  listing.metadata = file.metadata();
  add_tensors(file.tensors(), listing);
  listing.tokenizer = hf_tokenizer(fs::path(path).parent_path());
  add_spec(listing, [&] { return HfModel(path); });
  return listing;
}

ModelListing list_folder(const std::string& folder) {
  HfFiles files(folder);
  ModelListing listing;
  listing.format = with_file_count("safetensors", files.shards().size());
  for (const char* name : kHfFiles) {
    const std::string path = (fs::path(folder) / name).string();
    if (fs::exists(path)) listing.files.push_back(path);
  }
  listing.tokenizer = hf_tokenizer(folder);
  for (const auto& shard : files.shards()) {
    listing.files.push_back(shard->file());
    listing.n_bytes += static_cast<std::int64_t>(shard->n_bytes());
  }
  for (const auto& [key, value] : files.config().json().items()) {
    listing.metadata.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  add_tensors(files.tensors(), listing);
  add_spec(listing, [&] { return HfModel(folder, std::move(files)); });
  return listing;
}

}  // namespace

ModelListing list_model(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return list_folder(path);
  const MappedFile file(path);
  switch (kind_of_file(file.bytes())) {
    case FileKind::gguf:
      return list_gguf(path);
    case FileKind::safetensors:
      return list_safetensors(path);
    default:
      refuse_as_model(file.bytes(), path);
  }
}

}  // namespace qaq
