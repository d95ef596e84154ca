#include "core/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

std::int32_t most_likely(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

void require_finite(std::span<const float> logits) {
  if (all_within(logits, std::numeric_limits<float>::max())) return;
  throw Error(ErrorKind::work, {.place = "logits",
                                .what = "the model computed NaN or infinity",
                                .cure = "check the model file (qaq info), or try another one"});
}

}  // namespace

Sampler::Sampler(const SamplingParams& params) : params_(params) {
  for (const Parameter& parameter : list_parameters(params)) {
    checked_value(parameter, value_text(parameter.value));  // as text: finite too
  }
}

std::int32_t Sampler::next(std::span<const float> logits) {
  require_finite(logits);
  if (params_.temperature == 0) return most_likely(logits);
  candidates_.clear();
  for (std::size_t id = 0; id < logits.size(); ++id) {
    candidates_.push_back({static_cast<std::int32_t>(id), logits[id], 0});
  }
  keep_top_k();
  weigh();
  keep_top_p();

  double left = uniform() * total_weight();
  for (const Candidate& candidate : candidates_) {
    left -= candidate.weight;
    if (left < 0) return candidate.id;
  }
  return candidates_.back().id;  // the sum was rounded up
}

bool Sampler::less_likely(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit < b.logit : a.id > b.id;
}

void Sampler::keep_top_k() {
  const auto k = std::min(params_.top_k, std::ssize(candidates_));
  if (k == 0 || k == std::ssize(candidates_)) return;
  const auto end = candidates_.begin() + k;
  std::ranges::nth_element(candidates_, end,
                           [](const auto& a, const auto& b) { return less_likely(b, a); });
  candidates_.erase(end, candidates_.end());
  std::ranges::sort(candidates_, {}, &Candidate::id);
}

void Sampler::weigh() {
  const double top = std::ranges::max(candidates_, {}, &Candidate::logit).logit;
  for (Candidate& candidate : candidates_) {
    candidate.weight = std::exp((candidate.logit - top) / params_.temperature);
  }
}

void Sampler::keep_top_p() {
  if (params_.top_p >= 1) return;
  const double wanted = params_.top_p * total_weight();
  // A heap gives the most likely ones without sorting a whole vocabulary.
  std::ranges::make_heap(candidates_, less_likely);
  auto kept = candidates_.end();
  double weight = 0;
  do {
    std::pop_heap(candidates_.begin(), kept, less_likely);
    weight += (--kept)->weight;
  } while (weight < wanted && kept != candidates_.begin());
  candidates_.erase(candidates_.begin(), kept);
  std::ranges::sort(candidates_, {}, &Candidate::id);
}

double Sampler::total_weight() const {
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  return total;
}

// splitmix64 (Steele, Lea, Flood 2014) as a function of a counter; its upper 53 bits in [0, 1).
double Sampler::uniform() {
  std::uint64_t z = params_.seed + ++n_drawn_ * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

}  // namespace qaq
