#include "tests/gpu_check/slice_model.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/hf_config.h"
#include "data/models/json_object.h"

namespace qaq::gpu_check {
namespace {

constexpr const char* kCure = "make it anew with the target gpu_pack";

std::vector<std::byte> read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) refuse_input({.file = path, .what = "cannot be read", .cure = kCure});
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

WeightType type_named(const JsonObject& tensor) {
  const std::string name = tensor.text_or("type", "");
  for (int i = 0; i <= static_cast<int>(WeightType::iq4_xs); ++i) {
    const auto type = static_cast<WeightType>(i);
    if (weight_type_info(type).name == name) return type;
  }
  tensor.refuse("type", cat("'", name, "' is no type of weights"), kCure);
}

WeightRole role_named(const JsonObject& tensor) {
  const std::string name = tensor.text_or("role", "");
  const auto& roles = slice_roles();
  const auto found = std::ranges::find(roles, name, role_name);
  if (found == roles.end()) tensor.refuse("role", cat("'", name, "' is no weight"), kCure);
  return *found;
}

}  // namespace

const char* role_name(WeightRole role) {
  switch (role) {
    case WeightRole::embedding:
      return "embedding";
    case WeightRole::attention_norm:
      return "attention_norm";
    case WeightRole::query:
      return "query";
    case WeightRole::key:
      return "key";
    case WeightRole::value:
      return "value";
    case WeightRole::attention_output:
      return "attention_output";
    case WeightRole::feed_forward_norm:
      return "feed_forward_norm";
    case WeightRole::gate:
      return "gate";
    case WeightRole::up:
      return "up";
    case WeightRole::down:
      return "down";
    case WeightRole::final_norm:
      return "final_norm";
    default:
      return "";
  }
}

const std::vector<WeightRole>& slice_roles() {
  static const std::vector<WeightRole> roles{WeightRole::embedding,
                                             WeightRole::attention_norm,
                                             WeightRole::query,
                                             WeightRole::key,
                                             WeightRole::value,
                                             WeightRole::attention_output,
                                             WeightRole::feed_forward_norm,
                                             WeightRole::gate,
                                             WeightRole::up,
                                             WeightRole::down,
                                             WeightRole::final_norm};
  return roles;
}

SliceModel::SliceModel(const std::string& folder)
    : folder_(folder), bytes_(read_bytes(folder + "/weights.bin")) {
  const JsonObject manifest = JsonObject::read(folder + "/manifest.json");
  const JsonObject config = manifest.object("config");
  spec_ = hf_spec(config, hf_family(config), std::nullopt);
  spec_.name = manifest.text_or("name", "");
  spec_.weights_dtype = manifest.text_or("weights_dtype", "");
  spec_.config_json = config.json().dump();
  sha256_ = manifest.text_or("sha256", "");
  for (const std::int64_t token : manifest.integers("tokens")) {
    ids_.emplace(token, static_cast<std::int32_t>(ids_.size()));
  }
  for (const auto& entry : manifest.json().at("tensors")) {
    const JsonObject tensor(manifest.file(), entry, "tensors.");
    const WeightRole role = role_named(tensor);
    const std::int64_t layer = tensor.integers("layer").at(0);
    const std::int64_t offset = tensor.integers("offset").at(0);
    const auto [rows, cols] = weight_shape(role, spec_.shape);
    WeightView view{.name = cat(role_name(role), " of layer ", layer),
                    .type = type_named(tensor),
                    .rows = rows,
                    .cols = cols,
                    .bytes = {}};
    const std::int64_t size = rows * row_bytes(view.type, cols);
    if (offset < 0 || offset + size > std::ssize(bytes_)) {
      tensor.refuse("offset", "the tensor does not lie in weights.bin", kCure);
    }
    view.bytes =
        std::span(bytes_).subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
    weights_.emplace(std::pair(role, layer), view);
  }
}

WeightView SliceModel::weight(WeightRole role, std::int64_t layer) const {
  if (role == WeightRole::head) role = WeightRole::embedding;  // packed where they are tied
  const auto found = weights_.find({role, is_layer_role(role) ? layer : 0});
  if (found == weights_.end()) {
    refuse_input({.file = folder_ + "/manifest.json",
                  .place = cat(role_name(role), " of layer ", layer),
                  .what = "is missing",
                  .cure = kCure});
  }
  return found->second;
}

std::vector<std::int32_t> SliceModel::ids_of(const std::vector<std::int64_t>& tokens) const {
  std::vector<std::int32_t> ids;
  for (const std::int64_t token : tokens) {
    const auto found = ids_.find(token);
    if (found == ids_.end()) {
      refuse_input({.file = folder_ + "/manifest.json",
                    .place = cat("token ", token),
                    .what = "is missing",
                    .cure = kCure});
    }
    ids.push_back(found->second);
  }
  return ids;
}

}  // namespace qaq::gpu_check
