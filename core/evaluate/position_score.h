#pragma once

#include <cstdint>
#include <span>

namespace qaq {

/// Two next-token distributions of one position compared: the model's with its whole cache (the
/// reference) and with a quantized one. Section 10 of the mathematics; log-softmax in float64.
struct PositionScore {
  double kl = 0;         ///< KL(reference || quantized), nat
  double margin = 0;     ///< the reference's largest logit less its second: how firm its choice is
  bool same_top = true;  ///< equal argmax; ties: the lower id
  double reference_nll = 0;  ///< -ln p(next) of the reference, nat; NaN where next is not known
  double nll = 0;            ///< the same with the quantized cache
  double squared_difference = 0;  ///< sum over the vocabulary of the squared change of logits
  double max_change = 0;          ///< the largest change of a logit
};

/// Compares two rows of logits (vocab_size). `next` is the token that follows, or -1.
PositionScore compare_logits(std::span<const float> reference, std::span<const float> quantized,
                             std::int32_t next);

/// ln softmax(logits)[id], summed in float64.
double log_probability(std::span<const float> logits, std::int32_t id);

}  // namespace qaq
