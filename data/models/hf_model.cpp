#include "data/models/hf_model.h"

#include <algorithm>
#include <filesystem>
#include <tuple>
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
std::string_view prefix_of(const std::vector<StoredTensor>& tensors, const ModuleNames& names) {
  const auto has = [&](std::string_view prefix) {
    const std::string name = tensor_name(names, WeightRole::embedding, 0, prefix);
    return std::ranges::find(tensors, name, &StoredTensor::name) != tensors.end();
  };
  return !has(names.prefix) && has("") ? "" : names.prefix;
}

const CheckpointLayout& layout_of(const ModelSpec& spec) {
  return checkpoint_layout(*family_of_model_type(spec.architecture));
}

WeightTable weights_of(const HfFiles& files, const ModelSpec& spec, const std::string& file) {
  std::vector<StoredTensor> tensors = files.tensors();
  const CheckpointLayout& layout = layout_of(spec);
  const std::string_view prefix = prefix_of(tensors, layout.names);
  const auto name = [&layout, prefix](WeightRole role, std::int64_t layer) {
    return tensor_name(layout.names, role, layer, prefix);
  };
  // As transformers does, a head of its own is not used where the config says tied.
  const auto ignored = [&layout, name, tied = spec.tied_embeddings](const StoredTensor& tensor) {
    return layout.ignores(tensor.name) || (tied && tensor.name == name(WeightRole::head, 0));
  };
  const auto shape = [&layout](WeightRole role, const ModelShape& of) {
    return layout.order.stored_shape(role, of);
  };
  return {std::move(tensors), spec, {.name = name, .ignored = ignored, .shape = shape}, file};
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
      weights_(weights_of(files_, spec_, file_)),
      order_(layout_of(spec_).order),
      moved_(static_cast<std::size_t>(kWeightRoles * spec_.shape.n_layers)) {}

WeightView HfModel::weight(WeightRole role, std::int64_t layer) const {
  WeightView view = weights_.view(role, layer);
  if (!order_.moves(role)) return view;
  LazyBytes& ours = moved_[static_cast<std::size_t>(layer * kWeightRoles + static_cast<int>(role))];
  std::call_once(ours.made, [&] { ours.bytes = order_.take(role, view, spec_.shape); });
  std::tie(view.rows, view.cols) = weight_shape(role, spec_.shape);
  view.bytes = ours.bytes;
  return view;
}

const std::string& HfModel::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = files_.sha256(); });
  return sha256_;
}

}  // namespace qaq
