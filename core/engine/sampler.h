#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parameters.h"

namespace qaq {

/// How the next token is chosen from the logits. The defaults are greedy.
struct SamplingParams {
  double temperature = 0;
  std::int64_t top_k = 0;
  double top_p = 1;
  std::uint64_t seed = 0;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "temperature",
                    .help = "Logits are divided by it; 0: always the most likely token",
                    .min = 0},
      self.temperature);
    v(ParameterInfo{.name = "top_k", .help = "The k most likely tokens alone; 0: all", .min = 0},
      self.top_k);
    v(ParameterInfo{.name = "top_p",
                    .help = "Choose among the fewest tokens that have this probability together",
                    .min = 0,
                    .max = 1},
      self.top_p);
    v(ParameterInfo{.name = "seed",
                    .help = "Of the random numbers: the same seed, the same text",
                    .min = 0,
                    .max = 1e15},
      self.seed);
  }
};

/// Draws tokens: softmax(logits / temperature), cut to the top_k most likely, renormalized, cut to
/// the fewest that have probability top_p together (at least one), renormalized. Ties go to the
/// lower id. Probabilities are float64 and the random numbers our own (splitmix64), so that equal
/// logits and an equal seed give equal tokens on every machine.
class Sampler {
 public:
  /// Throws Error{usage} naming a parameter that is out of range.
  explicit Sampler(const SamplingParams& params);

  /// The next token, an index of `logits` (vocab_size). Throws Error{work} where they hold NaN or
  /// infinity.
  std::int32_t next(std::span<const float> logits);

  const SamplingParams& params() const { return params_; }

 private:
  struct Candidate {
    std::int32_t id;
    float logit;
    double weight;  ///< its probability, up to a common factor
  };
  static bool less_likely(const Candidate& a, const Candidate& b);

  void keep_top_k();
  void weigh();
  void keep_top_p();
  double total_weight() const;
  double uniform();

  SamplingParams params_;
  std::uint64_t n_drawn_ = 0;
  std::vector<Candidate> candidates_;  ///< by ascending id between the steps
};

}  // namespace qaq
