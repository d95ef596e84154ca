#include "core/model/families.h"

#include <algorithm>
#include <array>

namespace qaq {
namespace {

// What would change the numbers and is not computed.
constexpr std::array kGpt2Switches{FixedSwitch{"scale_attn_weights", true},
                                   FixedSwitch{"scale_attn_by_inverse_layer_idx", false},
                                   FixedSwitch{"add_cross_attention", false}};
constexpr std::array kOptSwitches{
    FixedSwitch{"do_layer_norm_before", true}, FixedSwitch{"_remove_final_layer_norm", false},
    FixedSwitch{"enable_bias", true}, FixedSwitch{"layer_norm_elementwise_affine", true}};
constexpr std::array kBloomSwitches{FixedSwitch{"apply_residual_connection_post_layernorm", false}};
constexpr std::array kNeoxSwitches{FixedSwitch{"attention_bias", true}};

constexpr std::array kFamilies{
    // LLaMA 1 to 3, TinyLlama, SmolLM, SmolLM2 and many others.
    Family{.name = "llama",
           .class_name = "LlamaForCausalLM",
           .gguf_architecture = "llama",
           .gguf_interleaved = true,
           .query_key_value_bias = BiasRule::configured,
           .attention_output_bias = BiasRule::configured,
           .feed_forward_bias = BiasRule::configured,
           .defaults = {.context_length = 2048}},
    // GGUF files of Mistral models say architecture llama.
    Family{.name = "mistral",
           .class_name = "MistralForCausalLM",
           .gguf_architecture = "",
           .windows = WindowRule::all_layers,
           .defaults = {.n_kv_heads = 8, .context_length = 131072, .sliding_window = 4096}},
    // Qwen2 and Qwen2.5.
    Family{.name = "qwen2",
           .class_name = "Qwen2ForCausalLM",
           .gguf_architecture = "qwen2",
           .query_key_value_bias = BiasRule::always,
           .windows = WindowRule::by_layer,
           .defaults = {.n_kv_heads = 32,
                        .context_length = 32768,
                        .sliding_window = 4096,
                        .max_window_layers = 28}},
    Family{.name = "qwen3",
           .class_name = "Qwen3ForCausalLM",
           .gguf_architecture = "qwen3",
           .query_key_value_bias = BiasRule::configured,
           .attention_output_bias = BiasRule::configured,
           .query_key_norm = true,
           .windows = WindowRule::by_layer,
           .defaults = {.n_kv_heads = 32,
                        .head_dim = 128,
                        .context_length = 32768,
                        .sliding_window = 4096,
                        .max_window_layers = 28}},
    // GPT-2, DistilGPT-2.
    Family{.name = "gpt2",
           .class_name = "GPT2LMHeadModel",
           .gguf_architecture = "",
           .query_key_value_bias = BiasRule::always,
           .attention_output_bias = BiasRule::always,
           .feed_forward_bias = BiasRule::always,
           .positions = PositionEmbedding::learned,
           .norm = NormKind::layer,
           .gated = false,
           .keys = {.n_layers = "n_layer",
                    .n_heads = "n_head",
                    .hidden_size = "n_embd",
                    .intermediate_size = "n_inner",
                    .context_length = "n_positions",
                    .norm_epsilon = "layer_norm_epsilon",
                    .activation = "activation_function"},
           .switches = kGpt2Switches,
           .defaults = {.context_length = 1024,
                        .intermediate_factor = 4,
                        .norm_epsilon = 1e-5,
                        .activation = "gelu_new",
                        .tied_embeddings = true}},
    // OPT, Galactica.
    Family{.name = "opt",
           .class_name = "OPTForCausalLM",
           .gguf_architecture = "",
           .query_key_value_bias = BiasRule::always,
           .attention_output_bias = BiasRule::always,
           .feed_forward_bias = BiasRule::always,
           .positions = PositionEmbedding::learned,
           .position_offset = 2,
           .norm = NormKind::layer,
           .gated = false,
           .keys = {.intermediate_size = "ffn_dim",
                    .norm_epsilon = "",
                    .activation = "activation_function"},
           .switches = kOptSwitches,
           .defaults = {.context_length = 2048,
                        .norm_epsilon = 1e-5,
                        .activation = "relu",
                        .tied_embeddings = true}},
    Family{.name = "bloom",
           .class_name = "BloomForCausalLM",
           .gguf_architecture = "",
           .query_key_value_bias = BiasRule::always,
           .attention_output_bias = BiasRule::always,
           .feed_forward_bias = BiasRule::always,
           .positions = PositionEmbedding::alibi,
           .norm = NormKind::layer,
           .embedding_norm = true,
           .gated = false,
           .keys = {.n_layers = "n_layer",
                    .n_heads = "n_head",
                    .hidden_size = "n_embed",
                    .intermediate_size = "",
                    .context_length = "seq_length",
                    .norm_epsilon = "layer_norm_epsilon",
                    .activation = ""},
           .switches = kBloomSwitches,
           .defaults = {.context_length = 2048,
                        .intermediate_factor = 4,
                        .norm_epsilon = 1e-5,
                        .activation = "gelu_new",
                        .tied_embeddings = true}},
    // GPT-NeoX, Pythia.
    Family{.name = "gpt_neox",
           .class_name = "GPTNeoXForCausalLM",
           .gguf_architecture = "",
           .query_key_value_bias = BiasRule::always,
           .attention_output_bias = BiasRule::always,
           .feed_forward_bias = BiasRule::always,
           .norm = NormKind::layer,
           .gated = false,
           .parallel_residual = true,
           .keys = {.norm_epsilon = "layer_norm_eps",
                    .rope_theta = "rotary_emb_base",
                    .partial_rotary_factor = "rotary_pct"},
           .switches = kNeoxSwitches,
           .defaults = {.context_length = 2048,
                        .norm_epsilon = 1e-5,
                        .partial_rotary_factor = 0.25,
                        .activation = "gelu"}},
};

const Family* find(std::string_view Family::*field, std::string_view name) {
  const auto at = std::ranges::find(kFamilies, name, field);
  return name.empty() || at == kFamilies.end() ? nullptr : &*at;
}

std::string names(std::string_view Family::*field) {
  std::string out;
  for (const Family& family : kFamilies) {
    if ((family.*field).empty()) continue;
    out += (out.empty() ? "" : ", ") + std::string(family.*field);
  }
  return out;
}

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family* family_of_model_type(std::string_view model_type) {
  return find(&Family::name, model_type);
}

const Family* family_of_gguf(std::string_view architecture) {
  return find(&Family::gguf_architecture, architecture);
}

std::string family_names() { return names(&Family::name); }

std::string gguf_architecture_names() { return names(&Family::gguf_architecture); }

}  // namespace qaq
