#include "data/models/weight_table.h"

#include <cassert>
#include <limits>
#include <map>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + ")";
}

[[noreturn]] void refuse(const std::string& file, const std::string& place, const std::string& what,
                         const std::string& cure = "convert the model again or get another file") {
  refuse_input({.file = file, .place = place, .what = what, .cure = cure});
}

void check_tensor(const StoredTensor& tensor, WeightRole role, const ModelShape& shape,
                  const TensorNaming& naming) {
  const auto [rows, cols] = naming.shape(role, shape);
  std::vector<std::int64_t> wanted{rows, cols}, given = tensor.shape;
  while (given.size() > 2 && given.front() == 1) given.erase(given.begin());
  if (rows == 1 && given.size() == 1) wanted = {cols};
  if (given != wanted) {
    const std::string why =
        role == WeightRole::embedding ? cat(" for ", shape.vocab_size, " tokens") : "";
    refuse(tensor.file, tensor.name,
           cat("the shape is ", shape_text(tensor.shape), ", and ", shape_text(wanted),
               " is expected", why));
  }
  if (!tensor.type) {
    refuse(tensor.file, tensor.name, cat("tensor type ", tensor.type_name, " cannot be run"),
           "use a file of F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q3_K, Q4_K, Q5_K, Q6_K, "
           "IQ4_NL or IQ4_XS weights");
  }
}

}  // namespace

WeightTable::WeightTable(std::vector<StoredTensor> tensors, const ModelSpec& spec,
                         const TensorNaming& naming, const std::string& file)
    : tensors_(std::move(tensors)),
      n_layers_(spec.shape.n_layers),
      shape_(spec.shape),
      naming_(naming),
      tied_(spec.tied_embeddings) {
  assert(n_layers_ <= kMaxLayers);
  std::map<std::string_view, std::size_t> by_name;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (by_name.emplace(tensors_[i].name, i).second) continue;
    refuse(tensors_[i].file, tensors_[i].name, "two tensors have this name: it is a duplicate");
  }
  std::vector<bool> used(tensors_.size());
  index_.assign(static_cast<std::size_t>(kWeightRoles * n_layers_), kNone);
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (!has_weight(spec, role) || (role == WeightRole::head && tied_)) continue;
    for (std::int64_t layer = 0; layer < (is_layer_role(role) ? n_layers_ : 1); ++layer) {
      const std::string name = naming.name(role, layer);
      const auto at = by_name.find(name);
      if (at == by_name.end()) refuse(file, name, "the tensor is missing");
      check_tensor(tensors_[at->second], role, shape_, naming);
      index_[slot(role, layer)] = at->second;
      used[at->second] = true;
    }
  }
  for (const auto& [name, i] : by_name) {
    if (used[i] || naming.ignored(tensors_[i])) continue;
    refuse(tensors_[i].file, tensors_[i].name,
           cat("the tensor is unknown in a model of the ", spec.architecture, " family"),
           "this variant of the architecture cannot be run; use another model");
  }
}

WeightView WeightTable::view(WeightRole role, std::int64_t layer) const {
  if (role == WeightRole::head && tied_) role = WeightRole::embedding;
  const std::size_t i = index_[slot(role, is_layer_role(role) ? layer : 0)];
  assert(i != kNone && "the model has no such weight");
  const StoredTensor& tensor = tensors_[i];
  const auto [rows, cols] = naming_.shape(role, shape_);
  return {tensor.name, *tensor.type, rows, cols, tensor.bytes};
}

std::size_t WeightTable::slot(WeightRole role, std::int64_t layer) const {
  assert(layer >= 0 && layer < n_layers_);
  return static_cast<std::size_t>(static_cast<int>(role) * n_layers_ + layer);
}

}  // namespace qaq
