#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

  std::int64_t group_size() const { return n_heads / n_kv_heads; }
};

/// Rotary position embedding in half-split convention: channel i turns with i + n_rotary_dim / 2.
struct RopeSpec {
  double theta = 10000.0;
  std::int64_t n_rotary_dim = 0;  ///< leading channels of a head that turn; the rest pass
};

/// What a model file says about a model, apart from its weights and its tokenizer.
struct ModelSpec {
  std::string name;
  std::string architecture;  ///< "llama"
  ModelShape shape;
  RopeSpec rope;
  double norm_epsilon = 1e-5;
  bool tied_embeddings = false;  ///< the head is the embedding table
  std::string weights_dtype;     ///< of most weights, for people: "q4_1"
  std::string config_json;       ///< Hugging Face style config, verbatim or made from GGUF metadata
  std::vector<std::int32_t> end_token_ids;
};

}  // namespace qaq
