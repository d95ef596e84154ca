#include "core/model/families.h"

#include <algorithm>
#include <array>

namespace qaq {
namespace {

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
