#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/model/model_spec.h"

namespace qaq {

/// When a linear layer of a family has a bias.
enum class BiasRule {
  never,
  always,
  configured,  ///< config.json says so (attention_bias, mlp_bias); in GGUF: where the tensor is
};

/// Which layers of a family attend within a sliding window, where its config.json gives one.
enum class WindowRule {
  none,        ///< a window that is given is not used
  all_layers,  ///< `sliding_window`, null: none
  by_layer,    ///< `layer_types`, else from `max_window_layers` on; only with `use_sliding_window`
};

/// What config.json means where it leaves a key out. Sizes of a model have no default.
struct FamilyDefaults {
  std::int64_t n_kv_heads = 0;  ///< 0: as many as heads
  std::int64_t head_dim = 0;    ///< 0: hidden_size / heads
  std::int64_t context_length = 0;
  std::int64_t sliding_window = 0;  ///< 0: none
  std::int64_t max_window_layers = 0;
  /// Feed-forward size as a multiple of hidden_size; 0: it has no default.
  std::int64_t intermediate_factor = 0;
  double norm_epsilon = 1e-6;
  double rope_theta = 10000.0;
  double partial_rotary_factor = 1.0;  ///< share of a head's channels that turns
  std::string_view activation = "silu";
  bool tied_embeddings = false;
};

/// Names of keys in config.json where a family has its own. The usual name, given here, is taken
/// beside it. Empty: the family has no such key.
struct ConfigKeys {
  std::string_view n_layers = "num_hidden_layers";
  std::string_view n_heads = "num_attention_heads";
  std::string_view hidden_size = "hidden_size";
  std::string_view intermediate_size = "intermediate_size";
  std::string_view context_length = "max_position_embeddings";
  std::string_view norm_epsilon = "rms_norm_eps";
  std::string_view activation = "hidden_act";
  std::string_view rope_theta = "rope_theta";
  std::string_view partial_rotary_factor = "partial_rotary_factor";
};

/// A switch of config.json of which one position alone can be run, the default.
struct FixedSwitch {
  std::string_view key;
  bool value = false;
};

/// The pieces that a family of models is made of. All of them are decoders of the same plan: a
/// norm, attention and a residual sum, then a norm, a feed-forward part and a residual sum; a last
/// norm and the head. What differs is said here, for every file format.
struct Family {
  std::string_view name;               ///< ModelSpec::architecture; `model_type` of config.json
  std::string_view class_name;         ///< in `architectures` of config.json
  std::string_view gguf_architecture;  ///< `general.architecture`; empty: comes as another family
  /// GGUF stores rows of query and key, and their biases, in interleaved RoPE order.
  bool gguf_interleaved = false;
  BiasRule query_key_value_bias = BiasRule::never;
  BiasRule attention_output_bias = BiasRule::never;
  BiasRule feed_forward_bias = BiasRule::never;
  bool query_key_norm = false;  ///< RMSNorm of each head's query and key before RoPE
  WindowRule windows = WindowRule::none;
  PositionEmbedding positions = PositionEmbedding::rope;
  std::int64_t position_offset = 0;  ///< of learned positions (ModelShape)
  NormKind norm = NormKind::rms;
  bool embedding_norm = false;
  bool gated = true;  ///< the feed-forward part is SwiGLU
  /// Attention and feed-forward part side by side, but where `use_parallel_residual` is false.
  bool parallel_residual = false;
  ConfigKeys keys{};
  std::span<const FixedSwitch> switches{};
  FamilyDefaults defaults{};
};

/// Every family that can be run. To add one: a description in families.cpp, a tiny model with
/// reference numbers in tests/core/engine/family_oracle_test.cpp, and its line in the README.
std::span<const Family> families();

/// The family with that `model_type` of config.json, or null.
const Family* family_of_model_type(std::string_view model_type);
/// The family with that `general.architecture` of GGUF, or null.
const Family* family_of_gguf(std::string_view architecture);

/// "llama, mistral, qwen2 ...", for messages.
std::string family_names();
/// "llama, qwen2, qwen3": those that GGUF knows by a name of their own.
std::string gguf_architecture_names();

}  // namespace qaq
