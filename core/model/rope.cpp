#include "core/model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qaq {
namespace {

std::vector<double> frequencies_of_base(double base, std::int64_t n_rotary_dim) {
  std::vector<double> out;
  for (std::int64_t pair = 0; pair < n_rotary_dim / 2; ++pair) {
    out.push_back(
        std::pow(base, -2.0 * static_cast<double>(pair) / static_cast<double>(n_rotary_dim)));
  }
  return out;
}

// The base grows with a run beyond the original context, so that the slowest pair turns as far as
// it did there.
double dynamic_base(const RopeSpec& rope, std::int64_t n_tokens) {
  const auto original = static_cast<double>(rope.original_context);
  const double length = std::max(original, static_cast<double>(n_tokens));
  const auto dim = static_cast<double>(rope.n_rotary_dim);
  return rope.theta *
         std::pow(rope.factor * length / original - (rope.factor - 1.0), dim / (dim - 2.0));
}

// The pair (not a whole number) that turns `n_rotations` times over the original context.
double pair_of_rotations(const RopeSpec& rope, double n_rotations) {
  const double wavelengths =
      static_cast<double>(rope.original_context) / (n_rotations * 2.0 * std::numbers::pi);
  return static_cast<double>(rope.n_rotary_dim) * std::log(wavelengths) /
         (2.0 * std::log(rope.theta));
}

// Fast pairs stay, slow ones turn `factor` times slower, with a ramp between (YaRN, section 3.2).
void stretch_yarn(const RopeSpec& rope, std::vector<double>& frequencies) {
  double first = pair_of_rotations(rope, rope.beta_fast);
  double last = pair_of_rotations(rope, rope.beta_slow);
  if (rope.truncate) {
    first = std::floor(first);
    last = std::ceil(last);
  }
  first = std::max(first, 0.0);
  last = std::min(last, static_cast<double>(rope.n_rotary_dim - 1));
  if (first == last) last += 0.001;  // as the source does: a step instead of a division by zero
  for (std::size_t pair = 0; pair < frequencies.size(); ++pair) {
    const double slow = std::clamp((static_cast<double>(pair) - first) / (last - first), 0.0, 1.0);
    frequencies[pair] *= slow / rope.factor + (1.0 - slow);
  }
}

// The same idea by wavelengths (LLaMA 3.1).
void stretch_llama3(const RopeSpec& rope, std::vector<double>& frequencies) {
  for (double& frequency : frequencies) {
    const double n_rotations =
        static_cast<double>(rope.original_context) * frequency / (2.0 * std::numbers::pi);
    const double fast = std::clamp(
        (n_rotations - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor), 0.0,
        1.0);
    frequency *= (1.0 - fast) / rope.factor + fast;
  }
}

}  // namespace

std::vector<double> rope_frequencies(const RopeSpec& rope, std::int64_t n_tokens) {
  const double base = rope.kind == RopeKind::dynamic ? dynamic_base(rope, n_tokens) : rope.theta;
  std::vector<double> out = frequencies_of_base(base, rope.n_rotary_dim);
  if (rope.kind == RopeKind::linear) {
    for (double& frequency : out) frequency /= rope.factor;
  }
  if (rope.kind == RopeKind::yarn) stretch_yarn(rope, out);
  if (rope.kind == RopeKind::llama3) stretch_llama3(rope, out);
  for (std::size_t pair = 0; pair < rope.divisors.size(); ++pair) {
    out[pair] /= static_cast<double>(rope.divisors[pair]);
  }
  return out;
}

double yarn_attention_factor(double factor, double scale, double scale_all) {
  const auto of = [&](double by) {
    return factor <= 1.0 ? 1.0 : 0.1 * by * std::log(factor) + 1.0;
  };
  return scale != 0.0 && scale_all != 0.0 ? of(scale) / of(scale_all) : of(1.0);
}

std::string_view name_of(RopeKind kind) {
  switch (kind) {
    case RopeKind::standard:
      return "default";
    case RopeKind::linear:
      return "linear";
    case RopeKind::dynamic:
      return "dynamic";
    case RopeKind::yarn:
      return "yarn";
    case RopeKind::llama3:
      return "llama3";
  }
  return "";
}

std::optional<RopeKind> rope_kind_named(std::string_view name) {
  for (const RopeKind kind : kRopeKinds) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

}  // namespace qaq
