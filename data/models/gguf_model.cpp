#include "data/models/gguf_model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "data/models/gguf_rope.h"
#include "data/models/gguf_spec.h"
#include "data/models/rope_rows.h"
#include "data/models/tensor_names.h"

namespace qaq {
namespace {

// What turns with its head's channels.
constexpr std::array kTurning{WeightRole::query, WeightRole::key, WeightRole::query_bias,
                              WeightRole::key_bias};

WeightTable weights_of(const GgufParts& parts, const ModelSpec& spec) {
  WeightTable table{
      parts.tensors(),
      spec,
      {.name = gguf_tensor_name,
       .ignored = [](const StoredTensor& tensor) { return tensor.name == kRopeDivisors; }},
      parts.file()};
  for (const WeightRole role : {WeightRole::query_bias, WeightRole::key_bias}) {
    if (!has_weight(spec, role)) continue;
    for (std::int64_t layer = 0; layer < spec.shape.n_layers; ++layer) {
      const WeightView bias = table.view(role, layer);
      if (weight_type_info(bias.type).block_elements == 1) continue;
      parts.metadata().refuse(bias.name, "a bias in blocks cannot be run",
                              "use a file of F32 biases");
    }
  }
  return table;
}

}  // namespace

GgufModel::GgufModel(GgufParts parts)
    : parts_(std::move(parts)),
      family_(gguf_family(parts_.metadata())),
      spec_(gguf_spec(parts_, family_)),
      weights_(weights_of(parts_, spec_)),
      reordered_(kTurning.size() * static_cast<std::size_t>(spec_.shape.n_layers)) {}

WeightView GgufModel::weight(WeightRole role, std::int64_t layer) const {
  WeightView view = weights_.view(role, layer);
  const auto turning = std::ranges::find(kTurning, role);
  if (!family_.gguf_interleaved || turning == kTurning.end()) return view;
  const auto kind = static_cast<std::size_t>(turning - kTurning.begin());
  LazyBytes& ours = reordered_[static_cast<std::size_t>(layer) * kTurning.size() + kind];
  std::call_once(ours.made, [&] {
    // A bias is one row of which each number is a row's.
    const std::int64_t n_rows = view.rows == 1 ? view.cols : view.rows;
    const std::int64_t bytes_of_row = static_cast<std::int64_t>(view.bytes.size()) / n_rows;
    ours.bytes =
        half_split_rows(view.bytes, bytes_of_row, spec_.shape.head_dim, spec_.rope.n_rotary_dim);
  });
  view.bytes = ours.bytes;
  return view;
}

const std::string& GgufModel::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = parts_.sha256(); });
  return sha256_;
}

}  // namespace qaq
