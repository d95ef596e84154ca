#include "data/models/llama_spec.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>

#include "core/base/text.h"
#include "data/models/end_tokens.h"
#include "data/models/llama_config.h"

namespace qaq {
namespace {

// Larger counts are damage; products of two still fit into 64 bits.
constexpr std::int64_t kMaxCount = std::numeric_limits<std::int32_t>::max();

std::string llama_key(std::string_view name) { return cat("llama.", name); }

std::int64_t checked_count(const GgufMetadata& metadata, const std::string& key,
                           std::int64_t value) {
  if (value < 1 || value > kMaxCount) {
    metadata.refuse(key, cat(value, " is out of range: from 1 to ", kMaxCount, " is possible"));
  }
  return value;
}

std::int64_t size_of(const GgufMetadata& metadata, std::string_view name) {
  const std::string key = llama_key(name);
  return checked_count(metadata, key, metadata.count(key));
}

std::int64_t size_or(const GgufMetadata& metadata, std::string_view name, std::int64_t fallback) {
  return metadata.contains(llama_key(name)) ? size_of(metadata, name) : fallback;
}

// The tokenizer's tokens decide: an embedding of another height is damage.
std::int64_t vocab_size_of(const GgufFile& gguf) {
  const GgufMetadata& metadata = gguf.metadata();
  if (metadata.contains("tokenizer.ggml.tokens")) {
    const auto n = static_cast<std::int64_t>(metadata.texts("tokenizer.ggml.tokens").size());
    return checked_count(metadata, "tokenizer.ggml.tokens", n);
  }
  const GgufTensor* embedding = gguf.find_tensor("token_embd.weight");
  return size_or(metadata, "vocab_size", embedding ? embedding->extents[1] : 1);
}

std::int64_t head_dim_of(const GgufMetadata& metadata, const ModelShape& shape) {
  std::int64_t head_dim = 0;
  if (metadata.contains(llama_key("attention.key_length"))) {
    head_dim = size_of(metadata, "attention.key_length");
  } else if (shape.hidden_size % shape.n_heads == 0) {
    head_dim = shape.hidden_size / shape.n_heads;
  } else {
    metadata.refuse(
        llama_key("attention.head_count"),
        cat(shape.n_heads, " heads do not divide embedding_length ", shape.hidden_size));
  }
  const std::int64_t value_dim = size_or(metadata, "attention.value_length", head_dim);
  if (value_dim != head_dim) {
    metadata.refuse(llama_key("attention.value_length"),
                    cat(value_dim, " differs from the keys' ", head_dim, ", which cannot be run"));
  }
  return head_dim;
}

ModelShape shape_of(const GgufFile& gguf) {
  const GgufMetadata& metadata = gguf.metadata();
  ModelShape shape;
  shape.n_layers = size_of(metadata, "block_count");
  shape.hidden_size = size_of(metadata, "embedding_length");
  shape.intermediate_size = size_of(metadata, "feed_forward_length");
  shape.context_length = size_of(metadata, "context_length");
  shape.n_heads = size_of(metadata, "attention.head_count");
  shape.n_kv_heads = size_or(metadata, "attention.head_count_kv", shape.n_heads);
  if (shape.n_heads % shape.n_kv_heads != 0) {
    metadata.refuse(llama_key("attention.head_count_kv"),
                    cat(shape.n_kv_heads, " does not divide head_count ", shape.n_heads));
  }
  shape.head_dim = head_dim_of(metadata, shape);
  shape.vocab_size = vocab_size_of(gguf);
  return shape;
}

// Scaled rotation angles would change every key: what is not computed here is refused by name.
void refuse_rope_scaling(const GgufFile& gguf) {
  const GgufMetadata& metadata = gguf.metadata();
  const std::string cure = "use a model without scaled position embeddings";
  const std::string type = metadata.text_or(llama_key("rope.scaling.type"), "");
  if (!type.empty() && type != "none") {
    metadata.refuse(llama_key("rope.scaling.type"), cat("scaling '", type, "' cannot be run"),
                    cure);
  }
  // Without a type, a factor means linear scaling; 0 and 1 mean none.
  for (const char* name : {"rope.scaling.factor", "rope.scale_linear"}) {
    const double factor = metadata.real_or(llama_key(name), 1.0);
    if (type.empty() && factor != 0.0 && factor != 1.0) {
      metadata.refuse(llama_key(name), cat("linear scaling by ", factor, " cannot be run"), cure);
    }
  }
  if (gguf.find_tensor("rope_freqs.weight")) {
    metadata.refuse("rope_freqs.weight", "scaled rotation frequencies (llama3) cannot be run",
                    cure);
  }
}

RopeSpec rope_of(const GgufFile& gguf, std::int64_t head_dim) {
  refuse_rope_scaling(gguf);
  const GgufMetadata& metadata = gguf.metadata();
  RopeSpec rope;
  rope.theta = metadata.real_or(llama_key("rope.freq_base"), rope.theta);
  if (rope.theta <= 0)
    metadata.refuse(llama_key("rope.freq_base"), cat(rope.theta, " is not positive"));
  rope.n_rotary_dim = size_or(metadata, "rope.dimension_count", head_dim);
  if (rope.n_rotary_dim > head_dim || rope.n_rotary_dim % 2 != 0) {
    metadata.refuse(llama_key("rope.dimension_count"),
                    cat(rope.n_rotary_dim, " is no even number up to the head size ", head_dim));
  }
  return rope;
}

void refuse_other_variants(const GgufMetadata& metadata, std::int64_t context_length) {
  if (metadata.count_or(llama_key("expert_count"), 0) > 0) {
    metadata.refuse(llama_key("expert_count"), "a mixture of experts cannot be run",
                    "use a dense LLaMA model");
  }
  const std::int64_t window = metadata.count_or(llama_key("attention.sliding_window"), 0);
  if (window > 0 && window < context_length) {
    metadata.refuse(llama_key("attention.sliding_window"),
                    cat("attention within a window of ", window, " tokens cannot be run"),
                    "use a model with full attention");
  }
}

std::string name_of(const GgufFile& gguf) {
  const std::string stem = std::filesystem::path(gguf.file()).stem().string();
  // Names of files may hold any bytes; the name goes into JSON and captures.
  return gguf.metadata().text_or("general.name", invalid_utf8_offset(stem) ? "unnamed" : stem);
}

// The type that holds most numbers.
std::string weights_dtype_of(const GgufFile& gguf) {
  std::map<std::string_view, std::int64_t> n_numbers;
  for (const GgufTensor& tensor : gguf.tensors())
    n_numbers[tensor.type->name] += tensor.n_elements();
  const auto most = std::max_element(n_numbers.begin(), n_numbers.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  std::string name(most == n_numbers.end() ? "" : most->first);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

}  // namespace

ModelSpec llama_spec(const GgufFile& gguf) {
  const GgufMetadata& metadata = gguf.metadata();
  ModelSpec spec;
  spec.name = name_of(gguf);
  spec.architecture = "llama";
  spec.shape = shape_of(gguf);
  refuse_other_variants(metadata, spec.shape.context_length);
  spec.rope = rope_of(gguf, spec.shape.head_dim);
  const std::string epsilon_key = llama_key("attention.layer_norm_rms_epsilon");
  spec.norm_epsilon = metadata.real(epsilon_key);
  if (spec.norm_epsilon <= 0)
    metadata.refuse(epsilon_key, cat(spec.norm_epsilon, " is not positive"));
  spec.tied_embeddings = gguf.find_tensor("output.weight") == nullptr;
  spec.weights_dtype = weights_dtype_of(gguf);
  spec.end_token_ids = end_token_ids(metadata, spec.shape.vocab_size);
  spec.config_json = llama_config_json(spec, metadata);
  return spec;
}

}  // namespace qaq
