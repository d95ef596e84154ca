#include "core/evaluate/position_score.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace qaq {
namespace {

struct TopTwo {
  std::size_t argmax = 0;  ///< ties: the lower index
  float first = -std::numeric_limits<float>::infinity();
  float second = -std::numeric_limits<float>::infinity();
};

TopTwo top_two(std::span<const float> row) {
  TopTwo top;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] > top.first) {
      top.second = top.first;
      top.first = row[i];
      top.argmax = i;
    } else if (row[i] > top.second) {
      top.second = row[i];
    }
  }
  return top;
}

}  // namespace

PositionScore compare_logits(std::span<const float> reference, std::span<const float> quantized,
                             std::int32_t next) {
  assert(reference.size() == quantized.size() && !reference.empty());
  const TopTwo top = top_two(reference), other = top_two(quantized);
  const double shift = top.first, other_shift = other.first;
  // sum p (a - b) and both normalizers in one pass: two exponentials a token.
  double sum = 0, other_sum = 0, weighted = 0, squares = 0, most = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double a = reference[i] - shift, b = quantized[i] - other_shift;
    const double weight = std::exp(a);
    sum += weight;
    other_sum += std::exp(b);
    weighted += weight * (a - b);
    const double change = static_cast<double>(reference[i]) - quantized[i];
    squares += change * change;
    most = std::max(most, std::abs(change));
  }
  PositionScore score;
  score.kl = weighted / sum - (std::log(sum) - std::log(other_sum));
  if (score.kl < 0) score.kl = 0;  // rounding, where the rows are all but equal
  score.margin = reference.size() > 1 ? static_cast<double>(top.first) - top.second : 0.0;
  score.same_top = top.argmax == other.argmax;
  score.squared_difference = squares;
  score.max_change = most;
  if (next < 0) {
    score.reference_nll = score.nll = std::numeric_limits<double>::quiet_NaN();
  } else {
    const auto id = static_cast<std::size_t>(next);
    score.reference_nll = std::log(sum) - (reference[id] - shift);
    score.nll = std::log(other_sum) - (quantized[id] - other_shift);
  }
  return score;
}

double log_probability(std::span<const float> logits, std::int32_t id) {
  const double shift = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - shift);
  return logits[static_cast<std::size_t>(id)] - shift - std::log(sum);
}

}  // namespace qaq
