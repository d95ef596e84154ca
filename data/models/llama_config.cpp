#include "data/models/llama_config.h"

#include <nlohmann/json.hpp>

#include "core/base/text.h"

namespace qaq {

std::string llama_config_json(const ModelSpec& spec, const GgufMetadata& metadata) {
  const ModelShape& shape = spec.shape;
  nlohmann::ordered_json config{{"architectures", {"LlamaForCausalLM"}},
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
                                {"rope_scaling", nullptr},
                                {"tie_word_embeddings", spec.tied_embeddings},
                                {"attention_bias", false},
                                {"mlp_bias", false},
                                {"hidden_act", "silu"}};
  if (spec.rope.n_rotary_dim != shape.head_dim) {
    config["partial_rotary_factor"] =
        static_cast<double>(spec.rope.n_rotary_dim) / static_cast<double>(shape.head_dim);
  }
  for (const char* name : {"bos_token_id", "eos_token_id"}) {
    const std::string key = cat("tokenizer.ggml.", name);
    if (metadata.contains(key)) config[name] = metadata.count(key);
  }
  return config.dump();
}

}  // namespace qaq
