#include "core/model/model_source.h"

namespace qaq {

bool is_layer_role(WeightRole role) {
  switch (role) {
    case WeightRole::embedding:
    case WeightRole::position_embedding:
    case WeightRole::embedding_norm:
    case WeightRole::embedding_norm_bias:
    case WeightRole::final_norm:
    case WeightRole::final_norm_bias:
    case WeightRole::head:
      return false;
    default:
      return true;
  }
}

bool has_weight(const ModelSpec& spec, WeightRole role) {
  switch (role) {
    case WeightRole::query_bias:
      return spec.pieces.query_bias;
    case WeightRole::key_bias:
      return spec.pieces.key_bias;
    case WeightRole::value_bias:
      return spec.pieces.value_bias;
    case WeightRole::attention_output_bias:
      return spec.pieces.attention_output_bias;
    case WeightRole::gate:
      return spec.activation == Activation::swiglu;
    case WeightRole::gate_bias:
      return spec.pieces.feed_forward_bias && spec.activation == Activation::swiglu;
    case WeightRole::up_bias:
    case WeightRole::down_bias:
      return spec.pieces.feed_forward_bias;
    case WeightRole::query_norm:
    case WeightRole::key_norm:
      return spec.pieces.query_key_norm;
    case WeightRole::position_embedding:
      return spec.positions == PositionEmbedding::learned;
    case WeightRole::embedding_norm:
      return spec.embedding_norm;
    case WeightRole::embedding_norm_bias:
      return spec.embedding_norm && spec.norm == NormKind::layer;
    case WeightRole::attention_norm_bias:
    case WeightRole::feed_forward_norm_bias:
    case WeightRole::final_norm_bias:
      return spec.norm == NormKind::layer;
    default:
      return true;
  }
}

std::pair<std::int64_t, std::int64_t> weight_shape(WeightRole role, const ModelShape& shape) {
  const std::int64_t hidden = shape.hidden_size, query = shape.n_heads * shape.head_dim,
                     kv = shape.n_kv_heads * shape.head_dim;
  switch (role) {
    case WeightRole::embedding:
    case WeightRole::head:
      return {shape.vocab_size, hidden};
    case WeightRole::position_embedding:
      return {shape.position_offset + shape.context_length, hidden};
    case WeightRole::attention_norm:
    case WeightRole::feed_forward_norm:
    case WeightRole::final_norm:
    case WeightRole::embedding_norm:
    case WeightRole::embedding_norm_bias:
    case WeightRole::attention_norm_bias:
    case WeightRole::feed_forward_norm_bias:
    case WeightRole::final_norm_bias:
    case WeightRole::attention_output_bias:
    case WeightRole::down_bias:
      return {1, hidden};
    case WeightRole::query:
      return {query, hidden};
    case WeightRole::key:
    case WeightRole::value:
      return {kv, hidden};
    case WeightRole::attention_output:
      return {hidden, query};
    case WeightRole::gate:
    case WeightRole::up:
      return {shape.intermediate_size, hidden};
    case WeightRole::down:
      return {hidden, shape.intermediate_size};
    case WeightRole::query_bias:
      return {1, query};
    case WeightRole::key_bias:
    case WeightRole::value_bias:
      return {1, kv};
    case WeightRole::gate_bias:
    case WeightRole::up_bias:
      return {1, shape.intermediate_size};
    case WeightRole::query_norm:
    case WeightRole::key_norm:
      return {1, shape.head_dim};
  }
  return {0, 0};
}

}  // namespace qaq
