#include <cmath>

#include "core/analysis/lesson_call.h"
#include "core/model/known_shapes.h"
#include "core/model/model_cost.h"
#include "core/policy/bit_steps.h"
#include "core/quant/arith.h"

namespace qaq {
namespace {

constexpr double kBytesPerNumber = 2;  // of float16, the cache that a compression is held against
constexpr double kBitsPerNumber = 16;

ModelSpec spec_of(const LessonCall& call, std::size_t i) {
  const std::string& name = call.word(i);
  if (name == "here") {
    ModelSpec spec;
    spec.shape = call.info().shape;
    return spec;
  }
  switch (call.choice(i, {"LLaMA-2-7B", "LLaMA-2-13B", "LLaMA-2-70B"})) {
    case 0:
      return llama2_7b();
    case 1:
      return llama2_13b();
    default:
      return llama2_70b();
  }
}

double cache_bytes(const ModelSpec& spec, double n_tokens) {
  return static_cast<double>(
             cache_bytes_per_token(spec, static_cast<std::int64_t>(kBytesPerNumber))) *
         n_tokens;
}

/// A count of tokens, or all of the capture's.
double n_tokens(const LessonCall& call, std::size_t i) {
  return call.word(i) == "all" ? static_cast<double>(call.info().n_tokens) : call.number(i);
}

LessonNumber shape_number(const LessonCall& call) {
  const ModelShape shape = spec_of(call, 0).shape;
  const std::int64_t sizes[] = {shape.n_layers, shape.n_heads,     shape.n_kv_heads,
                                shape.head_dim, shape.hidden_size, shape.intermediate_size};
  return whole(static_cast<double>(
      sizes[call.choice(1, {"layers", "heads", "kv_heads", "head_dim", "hidden", "ffn"})]));
}

/// What the paper's rule makes of one unit in a cache of T tokens.
BitSteps paper_steps(CacheSide side, double n_tokens, const QaqSideParams& params,
                     const UnitFacts& unit) {
  QaqSideParams paper = params;
  paper.variant = Variant::paper;
  paper.n_bits_min = 0;
  paper.n_bits_max = 16;
  paper.last_n_attentions = 1;
  return explain_bits(paper, side, {1, 1, static_cast<std::int64_t>(n_tokens), 1}, unit);
}

double sigma_of(const BitSteps& steps) { return std::sqrt(double{steps.choice.error}); }

LessonNumber sigma_v(const LessonCall& call) {
  QaqSideParams params;
  params.target_quantization_error = call.number(1);
  return number(
      sigma_of(paper_steps(CacheSide::value, call.number(0), params,
                           {.range = 1, .importance = static_cast<float>(call.number(2))})));
}

LessonNumber sigma_k(const LessonCall& call) {
  QaqSideParams params;
  params.target_quantization_error = call.number(1);
  params.q_norm = call.number(2);
  return number(sigma_of(paper_steps(CacheSide::key, call.number(0), params,
                                     {.range = 1, .q_norm = static_cast<float>(call.number(2))})),
                2);
}

LessonNumber bits_for(const LessonCall& call) {
  QaqSideParams params;
  params.target_quantization_error = call.number(1);
  const BitSteps steps = paper_steps(CacheSide::value, call.number(0), params,
                                     {.range = static_cast<float>(call.number(3)),
                                      .importance = static_cast<float>(call.number(2))});
  return whole(steps.choice.wanted);
}

/// The paper's ratio of flat bits: no scales, outliers at full width, no indices.
double flat_ratio(double bits, double outliers) {
  return kBitsPerNumber / ((1 - outliers) * bits + kBitsPerNumber * outliers);
}

/// Share of a unit of so many values that outliers_ratio keeps: at least one at the low end, by the
/// ranks of section 2.3, without ties.
LessonNumber kept_of(const LessonCall& call) {
  const std::int64_t n = call.whole(0);
  const double ratio = call.number(1);
  return share(static_cast<double>(k_low(ratio, n) + n - k_high(ratio, n)) /
               static_cast<double>(n));
}

}  // namespace

std::span<const KnownNumber> formula_numbers() {
  static constexpr KnownNumber kAll[] = {
      {"shape", "MODEL, layers|heads|kv_heads|head_dim|hidden|ffn", 2, shape_number},
      {"token_bytes", "MODEL", 1,
       [](const LessonCall& call) { return bytes(cache_bytes(spec_of(call, 0), 1)); }},
      {"cache_bytes", "MODEL, TOKENS|all", 2,
       [](const LessonCall& call) {
         return bytes(cache_bytes(spec_of(call, 0), n_tokens(call, 1)));
       }},
      {"layer_bytes", "MODEL, TOKENS|all", 2,
       [](const LessonCall& call) {
         const ModelSpec spec = spec_of(call, 0);
         return bytes(cache_bytes(spec, n_tokens(call, 1)) /
                      static_cast<double>(spec.shape.n_layers));
       }},
      {"sigma_v", "T, e, S", 3, sigma_v},
      {"sigma_k", "T, e, Q", 3, sigma_k},
      {"bits_v", "T, e, S, RANGE", 4, bits_for},
      {"flat_ratio", "BITS, OUTLIERS", 2,
       [](const LessonCall& call) {
         return number(flat_ratio(call.number(0), call.number(1)), 4);
       }},
      {"kept_of", "VALUES, RATIO", 2, kept_of},
  };
  return kAll;
}

}  // namespace qaq
