#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/position_embedding.h"
#include "core/model/rope.h"

namespace qaq {

/// Sizes of a decoder-only transformer. Query head h reads KV head h / (n_heads / n_kv_heads).
struct ModelShape {
  std::int64_t n_layers = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t vocab_size = 0;
  std::int64_t context_length = 0;  ///< positions the model was made for
  /// Rows of a table of learned positions before that of position 0.
  std::int64_t position_offset = 0;

  std::int64_t group_size() const { return n_heads / n_kv_heads; }
};

/// RMSNorm, or LayerNorm: less the mean, and with a bias.
enum class NormKind { rms, layer };

/// What lies between a layer's products of the feed-forward part: SwiGLU has a gate, silu(gate) *
/// up, the others have none.
enum class Activation { swiglu, relu, gelu, gelu_tanh };

/// "silu", "relu", "gelu", "gelu_tanh".
std::string_view name_of(Activation activation);

/// Pieces of a layer that some families have and others lack.
struct LayerPieces {
  bool query_bias = false;
  bool key_bias = false;
  bool value_bias = false;
  bool attention_output_bias = false;
  bool feed_forward_bias = false;  ///< of gate (where there is one), up and down
  bool query_key_norm = false;     ///< RMSNorm of each head's query and key before RoPE
};

/// What a model file says about a model, apart from its weights and its tokenizer.
struct ModelSpec {
  std::string name;
  std::string architecture;  ///< the family's name (families.h): "llama"
  ModelShape shape;
  PositionEmbedding positions = PositionEmbedding::rope;
  RopeSpec rope;                    ///< n_rotary_dim is 0 where nothing turns
  std::vector<float> alibi_slopes;  ///< (n_heads) of alibi, else empty
  NormKind norm = NormKind::rms;    ///< of the residual stream
  bool embedding_norm = false;      ///< the embedding has a norm of its own
  Activation activation = Activation::swiglu;
  /// Attention and feed-forward part both read what the layer was given, and are added together.
  bool parallel_residual = false;
  LayerPieces pieces;
  /// By layer: how many keys a query sees, itself among them; 0: all. Empty: all in every layer.
  std::vector<std::int64_t> attention_windows;
  double norm_epsilon = 1e-5;
  bool tied_embeddings = false;  ///< the head is the embedding table
  std::string weights_dtype;     ///< of most weights, for people: "q4_1"
  std::string config_json;       ///< Hugging Face style config, verbatim or made from GGUF metadata
  std::vector<std::int32_t> end_token_ids;

  std::int64_t attention_window(std::int64_t layer) const {
    return attention_windows.empty() ? 0 : attention_windows[static_cast<std::size_t>(layer)];
  }
};

}  // namespace qaq
