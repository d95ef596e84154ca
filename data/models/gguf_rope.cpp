#include "data/models/gguf_rope.h"

#include <cmath>

#include "core/base/text.h"
#include "core/tensor/weight_block.h"

namespace qaq {
namespace {

// How many times longer the context is; 1 where nothing is said. 0 means 1 too.
double factor_of(const GgufKeys& keys) {
  for (const char* name : {"rope.scaling.factor", "rope.scale_linear"}) {
    if (!keys.contains(name)) continue;
    const double factor = keys.metadata.real(keys.key(name));
    if (factor < 0) keys.refuse(name, cat(factor, " is negative"));
    return factor == 0 ? 1.0 : factor;
  }
  return 1.0;
}

RopeKind kind_of(const GgufKeys& keys, double factor) {
  // Without a type, a factor means linear scaling.
  const std::string type = keys.metadata.text_or(keys.key("rope.scaling.type"), "linear");
  if (type == "yarn") return RopeKind::yarn;
  if (type == "linear") return factor == 1.0 ? RopeKind::standard : RopeKind::linear;
  if (type == "none") return RopeKind::standard;
  keys.refuse("rope.scaling.type", cat("scaling '", type, "' cannot be run"),
              "use a model whose scaling is none, linear or yarn");
}

void read_yarn(const GgufKeys& keys, const ModelShape& shape, RopeSpec& rope) {
  rope.original_context =
      keys.size_or("rope.scaling.original_context_length", shape.context_length);
  rope.beta_fast = keys.positive_or("rope.scaling.yarn_beta_fast", rope.beta_fast);
  rope.beta_slow = keys.positive_or("rope.scaling.yarn_beta_slow", rope.beta_slow);
  rope.attention_factor = yarn_attention_factor(rope.factor) *
                          keys.positive_or("rope.scaling.attn_factor", 1.0) *
                          keys.positive_or("rope.scaling.yarn_attn_factor", 1.0);
  if (keys.metadata.real_or(keys.key("rope.scaling.yarn_log_multiplier"), 0.0) != 0.0) {
    keys.refuse("rope.scaling.yarn_log_multiplier", "this form of YaRN cannot be run",
                "use another model");
  }
}

std::vector<float> divisors_of(const GgufParts& gguf, std::int64_t n_rotary_dim) {
  const GgufTensor* tensor = gguf.find_tensor(kRopeDivisors);
  if (!tensor) return {};
  const auto refuse = [&](const std::string& what) { gguf.metadata().refuse(kRopeDivisors, what); };
  if (tensor->n_elements() != n_rotary_dim / 2 || tensor->type->weight_type != WeightType::f32) {
    refuse(cat("has ", tensor->n_elements(), " numbers of type ", tensor->type->name,
               " instead of ", n_rotary_dim / 2, " of F32"));
  }
  std::vector<float> divisors(static_cast<std::size_t>(n_rotary_dim / 2));
  decode_row(WeightType::f32, tensor->bytes, divisors);
  for (const float divisor : divisors) {
    if (!std::isfinite(divisor) || divisor <= 0) refuse(cat(divisor, " is not positive"));
  }
  return divisors;
}

}  // namespace

RopeSpec gguf_rope(const GgufParts& gguf, const GgufKeys& keys, const ModelShape& shape) {
  RopeSpec rope;
  rope.theta = keys.positive_or("rope.freq_base", rope.theta);
  rope.n_rotary_dim = keys.size_or("rope.dimension_count", shape.head_dim);
  if (rope.n_rotary_dim > shape.head_dim || rope.n_rotary_dim % 2 != 0) {
    keys.refuse("rope.dimension_count",
                cat(rope.n_rotary_dim, " is no even number up to the head size ", shape.head_dim));
  }
  const double factor = factor_of(keys);
  rope.kind = kind_of(keys, factor);
  if (rope.kind != RopeKind::standard) rope.factor = factor;
  if (rope.kind == RopeKind::yarn) read_yarn(keys, shape, rope);
  rope.divisors = divisors_of(gguf, rope.n_rotary_dim);
  return rope;
}

}  // namespace qaq
