#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace qaq::test {

/// KL divergence of the softmax of `ours` from that of `reference`, in nats.
inline double divergence(std::span<const float> ours, std::span<const float> reference) {
  const auto log_sum = [](std::span<const float> logits) {
    const double most = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float x : logits) sum += std::exp(x - most);
    return most + std::log(sum);
  };
  const double our_sum = log_sum(ours), their_sum = log_sum(reference);
  double kl = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double p = reference[i] - their_sum, q = ours[i] - our_sum;
    kl += std::exp(p) * (p - q);
  }
  return kl;
}

/// Whether the largest logit is the same one, or need not be: the reference's second lies no more
/// than 0.1 below its first.
inline bool same_choice(std::span<const float> ours, std::span<const float> reference) {
  const auto best = std::ranges::max_element(reference) - reference.begin();
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const bool other = static_cast<std::ptrdiff_t>(i) != best;
    if (other && reference[i] > reference[static_cast<std::size_t>(best)] - 0.1f) return true;
  }
  return std::ranges::max_element(ours) - ours.begin() == best;
}

/// By how much of max a backend in 16 bits may differ from the CPU on the same rounded weights: the
/// error, and its root mean square. bfloat16 has three bits less: eight times these.
struct HalfBound {
  double most = 0;
  double rms = 0;
};
inline constexpr HalfBound kHalfActivations{4e-3, 5e-4};  // queries, keys, values
inline constexpr HalfBound kHalfAttention{5e-3, 5e-3};
inline constexpr HalfBound kHalfLogits{1e-2, 1e-2};
/// Nats. Of second order: 64 times as much in bfloat16.
inline constexpr double kHalfDivergence = 1e-4;
/// Of tiny models, whose sums of 48 numbers average out less than those of a real one.
inline constexpr double kTinyDivergence = 5e-4;

}  // namespace qaq::test
