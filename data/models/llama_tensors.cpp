#include "data/models/llama_tensors.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/base/text.h"

namespace qaq {
namespace {

struct RoleName {
  WeightRole role;
  std::string_view name;
  bool per_layer;
};

constexpr std::array<RoleName, 12> kRoles{{
    {WeightRole::embedding, "token_embd", false},
    {WeightRole::attention_norm, "attn_norm", true},
    {WeightRole::query, "attn_q", true},
    {WeightRole::key, "attn_k", true},
    {WeightRole::value, "attn_v", true},
    {WeightRole::attention_output, "attn_output", true},
    {WeightRole::feed_forward_norm, "ffn_norm", true},
    {WeightRole::gate, "ffn_gate", true},
    {WeightRole::up, "ffn_up", true},
    {WeightRole::down, "ffn_down", true},
    {WeightRole::final_norm, "output_norm", false},
    {WeightRole::head, "output", false},
}};

constexpr std::int64_t kTensorsOfLayer = std::count_if(
    kRoles.begin(), kRoles.end(), [](const RoleName& role) { return role.per_layer; });

std::string shape_text(std::int64_t rows, std::int64_t cols) {
  return cat("(", rows, ", ", cols, ")");
}

void check_tensor(const GgufFile& gguf, const std::string& name, WeightRole role,
                  const ModelShape& shape) {
  const GgufMetadata& metadata = gguf.metadata();
  const GgufTensor* tensor = gguf.find_tensor(name);
  if (!tensor) metadata.refuse(name, "the tensor is missing");
  const auto [rows, cols] = weight_shape(role, shape);
  const auto& extents = tensor->extents;
  if (extents[0] != cols || extents[1] != rows || extents[2] != 1 || extents[3] != 1) {
    const std::string why =
        role == WeightRole::embedding ? cat(" for ", shape.vocab_size, " tokens") : "";
    metadata.refuse(name, cat("the shape is ", shape_text(extents[1], extents[0]), ", and ",
                              shape_text(rows, cols), " is expected", why));
  }
  if (!tensor->type->weight_type) {
    metadata.refuse(name, cat("tensor type ", tensor->type->name, " cannot be run"),
                    "use a file of F32, F16, BF16, Q8_0, Q4_0 or Q4_1 weights");
  }
}

}  // namespace

std::string gguf_tensor_name(WeightRole role, std::int64_t layer) {
  const RoleName& entry = kRoles[static_cast<std::size_t>(role)];
  return entry.per_layer ? cat("blk.", layer, ".", entry.name, ".weight")
                         : cat(entry.name, ".weight");
}

void check_llama_tensors(const GgufFile& gguf, const ModelSpec& spec) {
  const auto n_tensors = static_cast<std::int64_t>(gguf.tensors().size());
  if (spec.shape.n_layers > n_tensors / kTensorsOfLayer + 1) {
    // Not looked for one by one: the count may be anything.
    gguf.metadata().refuse(
        "llama.block_count",
        cat(spec.shape.n_layers, " layers, and the file has ", n_tensors, " tensors in all"));
  }
  std::set<std::string, std::less<>> expected;
  for (const RoleName& entry : kRoles) {
    if (entry.role == WeightRole::head && spec.tied_embeddings) continue;
    for (std::int64_t layer = 0; layer < (entry.per_layer ? spec.shape.n_layers : 1); ++layer) {
      const std::string name = gguf_tensor_name(entry.role, layer);
      check_tensor(gguf, name, entry.role, spec.shape);
      expected.insert(name);
    }
  }
  for (const GgufTensor& tensor : gguf.tensors()) {
    if (expected.contains(tensor.name)) continue;
    gguf.metadata().refuse(tensor.name, "the tensor is unknown in a LLaMA model",
                           "this variant of the architecture cannot be run; use another model");
  }
}

}  // namespace qaq
