#include "data/models/hf_rope.h"

#include "core/base/text.h"

namespace qaq {
namespace {

std::string kind_names() {
  std::string out;
  for (const RopeKind kind : kRopeKinds) out += cat(out.empty() ? "" : ", ", name_of(kind));
  return out;
}

RopeKind kind_of(const JsonObject& scaling) {
  const bool has_new_key = scaling.contains("rope_type");
  const char* key = has_new_key ? "rope_type" : "type";
  const std::string name = scaling.text_or(key, "default");
  if (const auto kind = rope_kind_named(name)) return *kind;
  scaling.refuse(key, cat("the position embedding '", name, "' cannot be run"),
                 "known are " + kind_names());
}

void read_llama3(const JsonObject& scaling, RopeSpec& rope) {
  rope.original_context = scaling.size("original_max_position_embeddings");
  rope.low_freq_factor = scaling.positive("low_freq_factor");
  rope.high_freq_factor = scaling.positive("high_freq_factor");
  if (rope.high_freq_factor <= rope.low_freq_factor) {
    scaling.refuse("high_freq_factor", cat(rope.high_freq_factor, " is not above low_freq_factor ",
                                           rope.low_freq_factor));
  }
}

void read_yarn(const JsonObject& scaling, std::int64_t context_length, RopeSpec& rope) {
  rope.original_context = scaling.size_or("original_max_position_embeddings", context_length);
  rope.beta_fast = scaling.positive_or("beta_fast", rope.beta_fast);
  rope.beta_slow = scaling.positive_or("beta_slow", rope.beta_slow);
  rope.truncate = scaling.flag_or("truncate", rope.truncate);
  const auto scale = [&](const char* key) {
    return scaling.contains(key) ? scaling.positive(key) : 0.0;
  };
  rope.attention_factor = scaling.positive_or(
      "attention_factor",
      yarn_attention_factor(rope.factor, scale("mscale"), scale("mscale_all_dim")));
}

void read_scaling(const JsonObject& scaling, const ModelShape& shape, RopeSpec& rope) {
  rope.kind = kind_of(scaling);
  if (rope.kind == RopeKind::standard) return;
  rope.factor = scaling.positive("factor");
  if (rope.kind == RopeKind::llama3) read_llama3(scaling, rope);
  if (rope.kind == RopeKind::yarn) read_yarn(scaling, shape.context_length, rope);
  if (rope.kind == RopeKind::dynamic) {
    // transformers looks at max_position_embeddings alone.
    rope.original_context = shape.context_length;
    if (rope.n_rotary_dim <= 2) scaling.refuse("rope_type", "dynamic scaling needs larger heads");
  }
}

}  // namespace

RopeSpec hf_rope(const JsonObject& config, const Family& family, const ModelShape& shape) {
  const bool newer = config.contains("rope_parameters");
  const char* scaling_key = newer ? "rope_parameters" : "rope_scaling";
  const JsonObject none(config.file(), nlohmann::ordered_json::object());
  const JsonObject scaling = config.contains(scaling_key) ? config.object(scaling_key) : none;
  for (const auto& [key, value] : scaling.json().items()) {
    if (value.is_object()) {
      scaling.refuse(key, "position embeddings that differ by layer cannot be run",
                     "use another model");
    }
  }
  RopeSpec rope;
  constexpr ConfigKeys kUsual;
  const double theta = config.positive_or(config.name_of(family.keys.rope_theta, kUsual.rope_theta),
                                          family.defaults.rope_theta);
  rope.theta = scaling.positive_or("rope_theta", theta);
  const std::string_view partial =
      config.name_of(family.keys.partial_rotary_factor, kUsual.partial_rotary_factor);
  const double turning =
      scaling.positive_or(kUsual.partial_rotary_factor,
                          config.positive_or(partial, family.defaults.partial_rotary_factor));
  rope.n_rotary_dim = static_cast<std::int64_t>(static_cast<double>(shape.head_dim) * turning);
  if (turning > 1.0 || rope.n_rotary_dim < 2 || rope.n_rotary_dim % 2 != 0) {
    config.refuse(config.contains(partial) ? partial : "head_dim",
                  cat(rope.n_rotary_dim, " channels of a head of ", shape.head_dim,
                      " would turn, which is no even number within it"));
  }
  read_scaling(scaling, shape, rope);
  return rope;
}

}  // namespace qaq
