// pack_model --file: says where SmolLM2-135M-Instruct is.
// pack_model FOLDER GREEDY.json: its first two layers, its final norm, and the embedding's rows of
// the tokens in GREEDY.json's prompts, as stored. Without the model in the cache it says so and
// ends well. SliceModel reads what it writes.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/json_object.h"
#include "data/models/model_file.h"
#include "data/models/model_store.h"
#include "tests/gpu_check/slice_model.h"

namespace qaq::gpu_check {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kModel = "smollm2-135m";
constexpr std::int64_t kLayers = 2;
constexpr std::int64_t kAlignment = 64;

std::vector<std::int64_t> tokens_of(const std::string& greedy) {
  const JsonObject file = JsonObject::read(greedy);
  std::set<std::int64_t> tokens;
  for (const auto& prompt : file.json().at("cases")) {
    for (const std::int64_t token : prompt.at("prompt_ids")) tokens.insert(token);
  }
  return {tokens.begin(), tokens.end()};
}

/// Tensors one behind the other.
class Weights {
 public:
  explicit Weights(const std::string& path) : path_(path), out_(path, std::ios::binary) {}

  void add(WeightRole role, std::int64_t layer, const WeightView& weight,
           const std::vector<std::span<const std::byte>>& parts) {
    const std::string padding(static_cast<std::size_t>((kAlignment - n_ % kAlignment) % kAlignment),
                              '\0');
    out_ << padding;
    n_ += std::ssize(padding);
    tensors_.push_back({{"role", role_name(role)},
                        {"layer", layer},
                        {"type", weight_type_info(weight.type).name},
                        {"offset", n_}});
    for (const auto part : parts) {
      out_.write(reinterpret_cast<const char*>(part.data()), std::ssize(part));
      n_ += std::ssize(part);
    }
  }
  Json finish() {
    out_.close();
    if (!out_) throw Error(ErrorKind::work, {.file = path_, .what = "cannot be written"});
    return tensors_;
  }

 private:
  std::string path_;
  std::ofstream out_;
  std::int64_t n_ = 0;
  Json tensors_ = Json::array();
};

Json packed_weights(const ModelSource& model, const std::vector<std::int64_t>& tokens,
                    const std::string& path) {
  Weights weights(path);
  for (const WeightRole role : slice_roles()) {
    for (std::int64_t layer = 0; layer < (is_layer_role(role) ? kLayers : 1); ++layer) {
      const WeightView weight = model.weight(role, layer);
      std::vector<std::span<const std::byte>> parts{weight.bytes};
      if (role == WeightRole::embedding) {
        const auto row = static_cast<std::size_t>(row_bytes(weight.type, weight.cols));
        parts.clear();
        for (const std::int64_t token : tokens) {
          parts.push_back(weight.bytes.subspan(static_cast<std::size_t>(token) * row, row));
        }
      }
      weights.add(role, layer, weight, parts);
    }
  }
  return weights.finish();
}

void pack(const std::string& path, const std::string& folder, const std::string& greedy) {
  const auto model = open_model(path);
  const ModelSpec& spec = model->spec();
  if (!spec.tied_embeddings || spec.pieces.query_bias || spec.pieces.query_key_norm) {
    refuse_input({.file = path, .what = "is no model of the kind that slices hold"});
  }
  const std::vector<std::int64_t> tokens = tokens_of(greedy);
  std::filesystem::create_directories(folder);
  Json config = Json::parse(spec.config_json);
  config["num_hidden_layers"] = kLayers;
  config["vocab_size"] = tokens.size();
  const Json manifest{{"name", cat(spec.name, ", layers 0 to ", kLayers - 1)},
                      {"sha256", model->sha256()},
                      {"weights_dtype", spec.weights_dtype},
                      {"config", config},
                      {"tokens", tokens},
                      {"tensors", packed_weights(*model, tokens, folder + "/weights.bin")}};
  std::ofstream out(folder + "/manifest.json");
  out << manifest.dump(1) << '\n';
  out.close();
  if (!out) throw Error(ErrorKind::work, {.file = folder, .what = "cannot be written"});
  std::printf("pack_model: %lld layers and %zu tokens of %s\n", static_cast<long long>(kLayers),
              tokens.size(), spec.name.c_str());
}

int run(int argc, char** argv) {
  const bool asks = argc == 2 && std::string_view(argv[1]) == "--file";
  if (!asks && argc != 3) {
    std::fprintf(stderr, "usage: pack_model FOLDER GREEDY.json, or pack_model --file\n");
    return 2;
  }
  const ModelStore store;
  const KnownModel& known = *ModelStore::find(kModel);
  if (asks) {
    if (!store.has(known)) {
      throw Error(ErrorKind::work, {.what = cat(kModel, " is not in the model cache"),
                                    .cure = cat("qaq model fetch ", kModel)});
    }
    std::printf("%s\n", store.path_of(known).c_str());
    return 0;
  }
  if (!store.has(known)) {
    std::printf(
        "pack_model: %s is not in the model cache, so no slice of it travels; "
        "qaq model fetch %s\n",
        kModel, kModel);
    return 0;
  }
  pack(store.path_of(known).string(), argv[1], argv[2]);
  return 0;
}

}  // namespace
}  // namespace qaq::gpu_check

int main(int argc, char** argv) {
  try {
    return qaq::gpu_check::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pack_model: %s\n", error.what());
    return 1;
  }
}
