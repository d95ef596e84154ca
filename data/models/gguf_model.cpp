#include "data/models/gguf_model.h"

#include <cassert>

#include "core/base/text.h"
#include "data/models/llama_spec.h"
#include "data/models/llama_tensors.h"
#include "data/models/rope_rows.h"

namespace qaq {
namespace {

ModelSpec checked_spec(const GgufFile& gguf) {
  const std::string architecture = gguf.metadata().text("general.architecture");
  if (architecture != "llama") {
    gguf.metadata().refuse("general.architecture",
                           cat("architecture '", architecture, "' cannot be run"),
                           "use a model of architecture llama");
  }
  ModelSpec spec = llama_spec(gguf);
  check_llama_tensors(gguf, spec);
  return spec;
}

}  // namespace

GgufModel::GgufModel(const std::string& path)
    : gguf_(path),
      spec_(checked_spec(gguf_)),
      reordered_(static_cast<std::size_t>(2 * spec_.shape.n_layers)) {}

WeightView GgufModel::weight(WeightRole role, std::int64_t layer) const {
  if (role == WeightRole::head && spec_.tied_embeddings) role = WeightRole::embedding;
  const GgufTensor* tensor = gguf_.find_tensor(gguf_tensor_name(role, layer));
  assert(tensor && "layer out of range");
  const auto [rows, cols] = weight_shape(role, spec_.shape);
  WeightView view{tensor->name, *tensor->type->weight_type, rows, cols, tensor->bytes};
  if (role != WeightRole::query && role != WeightRole::key) return view;
  ReorderedRows& ours =
      reordered_[static_cast<std::size_t>(2 * layer + (role == WeightRole::key ? 1 : 0))];
  std::call_once(ours.made, [&] {
    ours.bytes = half_split_rows(tensor->bytes, row_bytes(view.type, cols), spec_.shape.head_dim,
                                 spec_.rope.n_rotary_dim);
  });
  view.bytes = ours.bytes;
  return view;
}

}  // namespace qaq
