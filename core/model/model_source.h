#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/model/model_spec.h"
#include "core/tensor/weight_block.h"

namespace qaq {

/// The weights of a decoder. Names are ours; file formats map theirs to them.
enum class WeightRole {
  embedding,          ///< (vocab_size, hidden_size)
  attention_norm,     ///< (1, hidden_size), per layer
  query,              ///< (n_heads * head_dim, hidden_size), half-split RoPE rows
  key,                ///< (n_kv_heads * head_dim, hidden_size), half-split RoPE rows
  value,              ///< (n_kv_heads * head_dim, hidden_size)
  attention_output,   ///< (hidden_size, n_heads * head_dim)
  feed_forward_norm,  ///< (1, hidden_size)
  gate,               ///< (intermediate_size, hidden_size), of SwiGLU
  up,                 ///< (intermediate_size, hidden_size)
  down,               ///< (hidden_size, intermediate_size)
  final_norm,         ///< (1, hidden_size)
  head,               ///< (vocab_size, hidden_size); the embedding where the spec says tied

  // Optional pieces of a layer (LayerPieces); vectors are one row.
  query_bias,             ///< (1, n_heads * head_dim), half-split
  key_bias,               ///< (1, n_kv_heads * head_dim), half-split
  value_bias,             ///< (1, n_kv_heads * head_dim)
  attention_output_bias,  ///< (1, hidden_size)
  gate_bias,              ///< (1, intermediate_size)
  up_bias,                ///< (1, intermediate_size)
  down_bias,              ///< (1, hidden_size)
  query_norm,             ///< (1, head_dim)
  key_norm,               ///< (1, head_dim)

  // Of families with LayerNorm or learned positions.
  position_embedding,      ///< (position_offset + context_length, hidden_size)
  embedding_norm,          ///< (1, hidden_size)
  embedding_norm_bias,     ///< (1, hidden_size)
  attention_norm_bias,     ///< (1, hidden_size), per layer
  feed_forward_norm_bias,  ///< (1, hidden_size), per layer
  final_norm_bias,         ///< (1, hidden_size)
};
inline constexpr int kWeightRoles = 27;

/// Whether every layer has a weight of that role; embedding, final_norm and head are no layer's.
bool is_layer_role(WeightRole role);
/// Whether a model of this spec has the weight; the head is always there, by its own or tied.
bool has_weight(const ModelSpec& spec, WeightRole role);
/// (rows, cols) of a weight.
std::pair<std::int64_t, std::int64_t> weight_shape(WeightRole role, const ModelShape& shape);

/// A model file that was opened and checked: every weight is there and has its shape.
class ModelSource {
 public:
  virtual ~ModelSource() = default;
  virtual const ModelSpec& spec() const = 0;
  /// Of a weight that has_weight() says is there. `layer` is ignored for the roles that a model has
  /// once. Rows of query and key are in half-split order whatever the file holds.
  virtual WeightView weight(WeightRole role, std::int64_t layer) const = 0;
  /// The file's or folder's name as given, for messages.
  virtual const std::string& file() const = 0;
  /// Lower-case SHA-256 of the file with the weights; of several files that of their hashes (as
  /// text, one after the other by name). Costs a pass over them; computed once.
  virtual const std::string& sha256() const = 0;
};

}  // namespace qaq
