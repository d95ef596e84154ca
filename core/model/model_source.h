#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model_spec.h"
#include "core/tensor/weight_block.h"

namespace qaq {

/// The weights of a LLaMA-family layer. Names are ours; file formats map theirs to them.
enum class WeightRole {
  embedding,          ///< (vocab_size, hidden_size)
  attention_norm,     ///< (1, hidden_size), per layer
  query,              ///< (n_heads * head_dim, hidden_size), half-split RoPE rows
  key,                ///< (n_kv_heads * head_dim, hidden_size), half-split RoPE rows
  value,              ///< (n_kv_heads * head_dim, hidden_size)
  attention_output,   ///< (hidden_size, n_heads * head_dim)
  feed_forward_norm,  ///< (1, hidden_size)
  gate,               ///< (intermediate_size, hidden_size)
  up,                 ///< (intermediate_size, hidden_size)
  down,               ///< (hidden_size, intermediate_size)
  final_norm,         ///< (1, hidden_size)
  head,               ///< (vocab_size, hidden_size); the embedding where the spec says tied
};

/// A model file that was opened and checked: every weight is there and has its shape.
class ModelSource {
 public:
  virtual ~ModelSource() = default;
  virtual const ModelSpec& spec() const = 0;
  /// `layer` is ignored for the roles that a model has once. Rows of query and key are in
  /// half-split order whatever the file holds.
  virtual WeightView weight(WeightRole role, std::int64_t layer) const = 0;
  /// The file's name as given, for messages.
  virtual const std::string& file() const = 0;
  /// Lower-case SHA-256 of the file. Costs a pass over it; computed once.
  virtual const std::string& sha256() const = 0;
};

}  // namespace qaq
