#include "data/models/hf_config.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "data/models/hf_rope.h"
#include "data/models/weight_table.h"

namespace qaq {
namespace {

// Keys of a config by their role, under the name that it has them by.
class Keys {
 public:
  Keys(const JsonObject& config, const Family& family) : config_(config), own_(family.keys) {}
  std::string_view of(std::string_view ConfigKeys::*key) const {
    constexpr ConfigKeys kUsual;
    return config_.name_of(own_.*key, kUsual.*key);
  }

 private:
  const JsonObject& config_;
  const ConfigKeys& own_;
};

std::int64_t n_kv_heads_of(const JsonObject& config, const Family& family, std::int64_t n_heads) {
  const char* key = "num_key_value_heads";
  // transformers has a default for a key that is missing, and takes as many as heads for null.
  const bool missing = !config.json().contains(key);
  const std::int64_t fallback =
      missing && family.defaults.n_kv_heads > 0 ? family.defaults.n_kv_heads : n_heads;
  const std::int64_t n_kv_heads = config.size_or(key, fallback);
  if (n_heads % n_kv_heads != 0) {
    config.refuse(key, cat(n_kv_heads, " does not divide num_attention_heads ", n_heads));
  }
  return n_kv_heads;
}

std::int64_t head_dim_of(const JsonObject& config, const Family& family, const ModelShape& shape) {
  if (config.contains("head_dim")) return config.size("head_dim");
  if (!config.json().contains("head_dim") && family.defaults.head_dim > 0) {
    return family.defaults.head_dim;
  }
  if (shape.hidden_size % shape.n_heads != 0) {
    config.refuse(Keys(config, family).of(&ConfigKeys::n_heads),
                  cat(shape.n_heads, " heads do not divide hidden_size ", shape.hidden_size));
  }
  return shape.hidden_size / shape.n_heads;
}

ModelShape shape_of(const JsonObject& config, const Family& family) {
  const Keys keys(config, family);
  ModelShape shape;
  shape.n_layers = config.size(keys.of(&ConfigKeys::n_layers));
  if (shape.n_layers > kMaxLayers) {
    config.refuse(keys.of(&ConfigKeys::n_layers),
                  cat(shape.n_layers, " layers are more than any model has"));
  }
  shape.hidden_size = config.size(keys.of(&ConfigKeys::hidden_size));
  const std::string_view intermediate = keys.of(&ConfigKeys::intermediate_size);
  const std::int64_t factor = family.defaults.intermediate_factor;
  shape.intermediate_size = factor > 0 ? config.size_or(intermediate, factor * shape.hidden_size)
                                       : config.size(intermediate);
  shape.vocab_size = config.size("vocab_size");
  shape.context_length =
      config.size_or(keys.of(&ConfigKeys::context_length), family.defaults.context_length);
  shape.position_offset = family.position_offset;
  shape.n_heads = config.size(keys.of(&ConfigKeys::n_heads));
  shape.n_kv_heads = n_kv_heads_of(config, family, shape.n_heads);
  shape.head_dim = head_dim_of(config, family, shape);
  return shape;
}

bool has_bias(const JsonObject& config, BiasRule rule, const char* key) {
  return rule == BiasRule::always || (rule == BiasRule::configured && config.flag_or(key, false));
}

LayerPieces pieces_of(const JsonObject& config, const Family& family) {
  const bool qkv = has_bias(config, family.query_key_value_bias, "attention_bias");
  return {.query_bias = qkv,
          .key_bias = qkv,
          .value_bias = qkv,
          .attention_output_bias = has_bias(config, family.attention_output_bias, "attention_bias"),
          .feed_forward_bias = has_bias(config, family.feed_forward_bias, "mlp_bias"),
          .query_key_norm = family.query_key_norm};
}

// 0 where the config says null or, leaving it out, the family has none.
std::int64_t window_of(const JsonObject& config, const Family& family) {
  const bool missing = !config.json().contains("sliding_window");
  return config.size_or("sliding_window", missing ? family.defaults.sliding_window : 0);
}

// Which layers have the window, by `layer_types` or else by their number.
std::vector<bool> sliding_layers(const JsonObject& config, const Family& family,
                                 std::int64_t n_layers) {
  std::vector<bool> sliding;
  if (!config.contains("layer_types")) {
    // max_window_layers is 0 where every layer slides.
    const auto* value = config.find("max_window_layers");
    const bool zero = value && *value == 0;
    const std::int64_t first =
        zero ? 0 : config.size_or("max_window_layers", family.defaults.max_window_layers);
    for (std::int64_t layer = 0; layer < n_layers; ++layer) sliding.push_back(layer >= first);
    return sliding;
  }
  for (const std::string& type : config.texts("layer_types")) {
    if (type != "full_attention" && type != "sliding_attention") {
      config.refuse("layer_types", cat("'", type, "' cannot be run"),
                    "use a model of full_attention and sliding_attention");
    }
    sliding.push_back(type == "sliding_attention");
  }
  if (static_cast<std::int64_t>(sliding.size()) != n_layers) {
    config.refuse("layer_types", cat("has ", sliding.size(), " entries for ", n_layers, " layers"));
  }
  return sliding;
}

std::vector<std::int64_t> windows_of(const JsonObject& config, const Family& family,
                                     const ModelShape& shape) {
  const bool by_layer = family.windows == WindowRule::by_layer;
  if (family.windows == WindowRule::none) return {};
  if (by_layer && !config.flag_or("use_sliding_window", false)) return {};
  const std::int64_t window = window_of(config, family);
  if (window == 0 || window >= shape.context_length) return {};
  std::vector<std::int64_t> windows(static_cast<std::size_t>(shape.n_layers), window);
  if (!by_layer) return windows;
  const std::vector<bool> sliding = sliding_layers(config, family, shape.n_layers);
  for (std::size_t layer = 0; layer < windows.size(); ++layer) {
    if (!sliding[layer]) windows[layer] = 0;
  }
  const bool any = std::ranges::any_of(windows, [](std::int64_t each) { return each > 0; });
  return any ? windows : std::vector<std::int64_t>{};
}

void add_end_tokens(const JsonObject& config, std::int64_t vocab_size,
                    std::vector<std::int32_t>& ids) {
  for (const std::int64_t id : config.integers("eos_token_id")) {
    if (id < 0 || id >= vocab_size) {
      config.refuse("eos_token_id",
                    cat(id, " is out of range: the vocabulary has ", vocab_size, " tokens"));
    }
    ids.push_back(static_cast<std::int32_t>(id));
  }
}

std::vector<std::int32_t> end_tokens_of(const JsonObject& config,
                                        const std::optional<JsonObject>& generation,
                                        std::int64_t vocab_size) {
  std::vector<std::int32_t> ids;
  add_end_tokens(config, vocab_size, ids);
  if (generation) add_end_tokens(*generation, vocab_size, ids);
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  return ids;
}

// Names that transformers has for what is computed without a gate (its ACT2FN).
constexpr std::pair<std::string_view, Activation> kPlainActivations[]{
    {"relu", Activation::relu},           {"gelu", Activation::gelu},
    {"gelu_python", Activation::gelu},    {"gelu_new", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh}, {"gelu_pytorch_tanh", Activation::gelu_tanh}};

Activation activation_of(const JsonObject& config, const Family& family) {
  const std::string_view key = Keys(config, family).of(&ConfigKeys::activation);
  const std::string name = config.text_or(key, family.defaults.activation);
  if (family.gated && name == family.defaults.activation) return Activation::swiglu;
  for (const auto& [known, activation] : kPlainActivations) {
    if (!family.gated && known == name) return activation;
  }
  config.refuse(
      key, cat("the activation '", name, "' cannot be run"),
      cat("use a model with ", family.gated ? family.defaults.activation : "relu or gelu"));
}

// A number of heads comes from the file: it is looked at before there is a slope for each.
std::vector<float> slopes_of(const JsonObject& config, const Family& family,
                             const ModelShape& shape) {
  constexpr std::int64_t kMaxHeads = 65536;
  if (shape.n_heads > kMaxHeads) {
    config.refuse(Keys(config, family).of(&ConfigKeys::n_heads),
                  cat(shape.n_heads, " heads are more than any model has"));
  }
  return alibi_slopes(shape.n_heads);
}

void refuse_other_variants(const JsonObject& config, const Family& family,
                           const ModelShape& shape) {
  for (const FixedSwitch& each : family.switches) {
    if (config.flag_or(each.key, each.value) == each.value) continue;
    config.refuse(each.key, cat("a model with ", each.value ? "false" : "true", " cannot be run"),
                  cat("use one with ", each.value ? "true" : "false"));
  }
  // OPT's embedding may be narrower than its layers.
  const std::int64_t width = config.size_or("word_embed_proj_dim", shape.hidden_size);
  if (width != shape.hidden_size) {
    config.refuse("word_embed_proj_dim",
                  cat("an embedding of ", width, " numbers in a model of ", shape.hidden_size,
                      " cannot be run"),
                  "use a model whose embedding is as wide as its layers");
  }
  if (config.contains("quantization_config")) {
    const std::string method =
        config.object("quantization_config").text_or("quant_method", "an unknown method");
    config.refuse("quantization_config", cat("weights packed by ", method, " cannot be run"),
                  "use the unquantized model or a GGUF file of it");
  }
}

}  // namespace

const Family& hf_family(const JsonObject& config) {
  const std::string model_type = config.text_or("model_type", "");
  if (const Family* family = family_of_model_type(model_type)) return *family;
  config.refuse("model_type",
                model_type.empty() ? "the key is missing"
                                   : cat("models of type '", model_type, "' are not supported"),
                "known are " + family_names());
}

ModelSpec hf_spec(const JsonObject& config, const Family& family,
                  const std::optional<JsonObject>& generation) {
  ModelSpec spec;
  spec.architecture = family.name;
  spec.shape = shape_of(config, family);
  refuse_other_variants(config, family, spec.shape);
  spec.positions = family.positions;
  if (spec.positions == PositionEmbedding::rope) spec.rope = hf_rope(config, family, spec.shape);
  if (spec.positions == PositionEmbedding::alibi) {
    spec.alibi_slopes = slopes_of(config, family, spec.shape);
  }
  spec.norm = family.norm;
  spec.embedding_norm = family.embedding_norm;
  spec.activation = activation_of(config, family);
  spec.parallel_residual =
      family.parallel_residual && config.flag_or("use_parallel_residual", true);
  spec.pieces = pieces_of(config, family);
  spec.attention_windows = windows_of(config, family, spec.shape);
  spec.norm_epsilon = config.positive_or(Keys(config, family).of(&ConfigKeys::norm_epsilon),
                                         family.defaults.norm_epsilon);
  spec.tied_embeddings = config.flag_or("tie_word_embeddings", family.defaults.tied_embeddings);
  spec.end_token_ids = end_tokens_of(config, generation, spec.shape.vocab_size);
  return spec;
}

}  // namespace qaq
