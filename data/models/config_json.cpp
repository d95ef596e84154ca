#include "data/models/config_json.h"

#include <nlohmann/json.hpp>

#include "core/base/text.h"

namespace qaq {
namespace {

using nlohmann::ordered_json;

ordered_json rope_scaling(const RopeSpec& rope) {
  ordered_json scaling{{"rope_type", name_of(rope.kind)}};
  if (rope.kind == RopeKind::standard) {
    if (rope.divisors.empty()) return nullptr;
  } else {
    scaling["factor"] = rope.factor;
  }
  if (rope.kind == RopeKind::yarn) {
    scaling["original_max_position_embeddings"] = rope.original_context;
    scaling["beta_fast"] = rope.beta_fast;
    scaling["beta_slow"] = rope.beta_slow;
    scaling["attention_factor"] = rope.attention_factor;
  }
  // Hugging Face has no word for it: the file holds what its llama3 or longrope comes to.
  if (!rope.divisors.empty()) scaling["gguf_rope_freqs"] = rope.divisors;
  return scaling;
}

}  // namespace

std::string config_json(const ModelSpec& spec, const Family& family, const GgufMetadata& metadata) {
  const ModelShape& shape = spec.shape;
  ordered_json config{{"architectures", {family.class_name}},
                      {"model_type", spec.architecture},
                      {"vocab_size", shape.vocab_size},
                      {"hidden_size", shape.hidden_size},
                      {"intermediate_size", shape.intermediate_size},
                      {"num_hidden_layers", shape.n_layers},
                      {"num_attention_heads", shape.n_heads},
                      {"num_key_value_heads", shape.n_kv_heads},
                      {"head_dim", shape.head_dim},
                      {"max_position_embeddings", shape.context_length},
                      {"rms_norm_eps", spec.norm_epsilon},
                      {"rope_theta", spec.rope.theta},
                      {"rope_scaling", rope_scaling(spec.rope)},
                      {"tie_word_embeddings", spec.tied_embeddings},
                      {"attention_bias", spec.pieces.query_bias},
                      {"mlp_bias", spec.pieces.feed_forward_bias},
                      {"hidden_act", family.defaults.activation}};
  if (spec.rope.n_rotary_dim != shape.head_dim) {
    config["partial_rotary_factor"] =
        static_cast<double>(spec.rope.n_rotary_dim) / static_cast<double>(shape.head_dim);
  }
  if (!spec.attention_windows.empty()) config["sliding_window"] = spec.attention_windows.front();
  for (const char* name : {"bos_token_id", "eos_token_id"}) {
    const std::string key = cat("tokenizer.ggml.", name);
    if (metadata.contains(key)) config[name] = metadata.count(key);
  }
  return config.dump();
}

}  // namespace qaq
