#include "data/models/gguf_spec.h"

#include <filesystem>

#include "core/base/text.h"
#include "core/model/model_source.h"
#include "data/models/config_json.h"
#include "data/models/end_tokens.h"
#include "data/models/gguf_keys.h"
#include "data/models/gguf_rope.h"
#include "data/models/tensor_names.h"
#include "data/models/weight_table.h"

namespace qaq {
namespace {

// The tokenizer's tokens decide: an embedding of another height is damage.
std::int64_t vocab_size_of(const GgufParts& gguf, const GgufKeys& keys) {
  if (keys.metadata.contains("tokenizer.ggml.tokens")) {
    const auto n = static_cast<std::int64_t>(keys.metadata.texts("tokenizer.ggml.tokens").size());
    return keys.checked_size("tokenizer.ggml.tokens", n);
  }
  const GgufTensor* embedding = gguf.find_tensor(gguf_tensor_name(WeightRole::embedding, 0));
  return keys.size_or("vocab_size", embedding ? embedding->extents[1] : 1);
}

std::int64_t head_dim_of(const GgufKeys& keys, const ModelShape& shape) {
  std::int64_t head_dim = 0;
  if (keys.contains("attention.key_length")) {
    head_dim = keys.size("attention.key_length");
  } else if (shape.hidden_size % shape.n_heads == 0) {
    head_dim = shape.hidden_size / shape.n_heads;
  } else {
    keys.refuse("attention.head_count",
                cat(shape.n_heads, " heads do not divide embedding_length ", shape.hidden_size));
  }
  const std::int64_t value_dim = keys.size_or("attention.value_length", head_dim);
  if (value_dim != head_dim) {
    keys.refuse("attention.value_length",
                cat(value_dim, " differs from the keys' ", head_dim, ", which cannot be run"));
  }
  return head_dim;
}

ModelShape shape_of(const GgufParts& gguf, const GgufKeys& keys) {
  ModelShape shape;
  shape.n_layers = keys.size("block_count");
  if (shape.n_layers > kMaxLayers) {
    keys.refuse("block_count", cat(shape.n_layers, " layers are more than any model has"));
  }
  shape.hidden_size = keys.size("embedding_length");
  shape.intermediate_size = keys.size("feed_forward_length");
  shape.context_length = keys.size("context_length");
  shape.n_heads = keys.size("attention.head_count");
  shape.n_kv_heads = keys.size_or("attention.head_count_kv", shape.n_heads);
  if (shape.n_heads % shape.n_kv_heads != 0) {
    keys.refuse("attention.head_count_kv",
                cat(shape.n_kv_heads, " does not divide head_count ", shape.n_heads));
  }
  shape.head_dim = head_dim_of(keys, shape);
  shape.vocab_size = vocab_size_of(gguf, keys);
  return shape;
}

// GGUF does not say which biases there are; the first layer's tensors do.
bool has_bias(const GgufParts& gguf, BiasRule rule, WeightRole role) {
  if (rule != BiasRule::configured) return rule == BiasRule::always;
  return gguf.find_tensor(gguf_tensor_name(role, 0)) != nullptr;
}

LayerPieces pieces_of(const GgufParts& gguf, const Family& family) {
  const auto bias = [&](BiasRule rule, WeightRole role) { return has_bias(gguf, rule, role); };
  return {
      .query_bias = bias(family.query_key_value_bias, WeightRole::query_bias),
      .key_bias = bias(family.query_key_value_bias, WeightRole::key_bias),
      .value_bias = bias(family.query_key_value_bias, WeightRole::value_bias),
      .attention_output_bias =
          bias(family.attention_output_bias, WeightRole::attention_output_bias),
      .feed_forward_bias = bias(family.feed_forward_bias, WeightRole::gate_bias),
      .query_key_norm = family.query_key_norm,
  };
}

// The window is the file's own word: Mistral models come as architecture llama.
std::vector<std::int64_t> windows_of(const GgufKeys& keys, const ModelShape& shape) {
  const std::int64_t window = keys.metadata.count_or(keys.key("attention.sliding_window"), 0);
  if (window == 0 || window >= shape.context_length) return {};
  return std::vector<std::int64_t>(static_cast<std::size_t>(shape.n_layers), window);
}

std::string name_of_model(const GgufParts& gguf) {
  const std::string stem = std::filesystem::path(gguf.file()).stem().string();
  // Names of files may hold any bytes; the name goes into JSON and captures.
  return gguf.metadata().text_or("general.name", invalid_utf8_offset(stem) ? "unnamed" : stem);
}

}  // namespace

const Family& gguf_family(const GgufMetadata& metadata) {
  const std::string architecture = metadata.text("general.architecture");
  if (const Family* family = family_of_gguf(architecture)) return *family;
  metadata.refuse("general.architecture", cat("architecture '", architecture, "' cannot be run"),
                  "use a model of one of the architectures " + gguf_architecture_names());
}

ModelSpec gguf_spec(const GgufParts& gguf, const Family& family) {
  const GgufMetadata& metadata = gguf.metadata();
  const GgufKeys keys{metadata, std::string(family.gguf_architecture)};
  ModelSpec spec;
  spec.name = name_of_model(gguf);
  spec.architecture = family.name;
  spec.shape = shape_of(gguf, keys);
  if (metadata.count_or(keys.key("expert_count"), 0) > 0) {
    keys.refuse("expert_count", "a mixture of experts cannot be run", "use a dense model");
  }
  spec.rope = gguf_rope(gguf, keys, spec.shape);
  spec.pieces = pieces_of(gguf, family);
  spec.attention_windows = windows_of(keys, spec.shape);
  const std::string epsilon_key = keys.key("attention.layer_norm_rms_epsilon");
  spec.norm_epsilon = metadata.real(epsilon_key);
  if (spec.norm_epsilon <= 0)
    metadata.refuse(epsilon_key, cat(spec.norm_epsilon, " is not positive"));
  spec.tied_embeddings = !gguf.find_tensor(gguf_tensor_name(WeightRole::head, 0));
  spec.weights_dtype = main_type(gguf.tensors());
  spec.end_token_ids = end_token_ids(metadata, spec.shape.vocab_size);
  spec.config_json = config_json(spec, family, metadata);
  return spec;
}

}  // namespace qaq
