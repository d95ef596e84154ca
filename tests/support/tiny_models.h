#pragma once

namespace qaq::test {

/// A small random model with a float64 forward pass of it.
struct TinyModel {
  const char* model;      ///< in tests/data: a folder or a file
  const char* reference;  ///< its forward pass in tests/data/oracle
};

/// Every family that runs on all backends, every variant and file format.
constexpr TinyModel kTinyModels[] = {
    {"oracle/tiny_llama", "tiny_llama_forward"},
    {"oracle/tiny_llama/model.safetensors", "tiny_llama_forward"},
    {"oracle/tiny_llama/tiny_llama-f32.gguf", "tiny_llama_forward"},
    {"oracle/tiny_llama/tiny_llama-f16.gguf", "tiny_llama_forward_f16"},
    {"oracle/tiny_llama/bf16_sharded", "tiny_llama_forward_bf16"},
    {"oracle/tiny_llama/variant_tied", "tiny_llama/variant_tied/forward"},
    {"oracle/tiny_llama/variant_tied/variant_tied-f32.gguf", "tiny_llama/variant_tied/forward"},
    {"oracle/tiny_llama/variant_attention_bias", "tiny_llama/variant_attention_bias/forward"},
    {"oracle/tiny_llama/variant_attention_bias/variant_attention_bias-f32.gguf",
     "tiny_llama/variant_attention_bias/forward"},
    {"oracle/tiny_llama/variant_rope_linear", "tiny_llama/variant_rope_linear/forward"},
    {"oracle/tiny_llama/variant_rope_linear/variant_rope_linear-f32.gguf",
     "tiny_llama/variant_rope_linear/forward"},
    {"oracle/tiny_llama/variant_rope_llama3", "tiny_llama/variant_rope_llama3/forward"},
    {"oracle/tiny_llama/variant_rope_llama3/variant_rope_llama3-f32.gguf",
     "tiny_llama/variant_rope_llama3/forward"},
    {"oracle/tiny_llama/variant_rope_parameters", "tiny_llama/variant_rope_parameters/forward"},
    {"oracle/tiny_llama/variant_rope_parameters/variant_rope_parameters-f32.gguf",
     "tiny_llama/variant_rope_parameters/forward"},
    {"oracle/tiny_llama_head_dim", "tiny_llama_head_dim_forward"},
    {"oracle/tiny_mistral", "tiny_mistral_forward"},
    {"oracle/tiny_qwen2", "tiny_qwen2_forward"},
    {"oracle/tiny_qwen3", "tiny_qwen3_forward"},
    {"gguf_families/tiny_qwen2-f32.gguf", "tiny_qwen2_forward"},
    {"gguf_families/tiny_qwen3-f32.gguf", "tiny_qwen3_forward"},
};

/// Families that run on the CPU alone.
constexpr TinyModel kCpuTinyModels[] = {
    {"oracle/tiny_gpt2", "tiny_gpt2_forward"},
    {"oracle/tiny_opt", "tiny_opt_forward"},
    {"oracle/tiny_bloom", "tiny_bloom_forward"},
    {"oracle/tiny_gpt_neox", "tiny_gpt_neox_forward"},
};

}  // namespace qaq::test
