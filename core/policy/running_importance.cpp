#include "core/policy/running_importance.h"

#include <algorithm>
#include <cassert>

#include "core/base/parallel.h"
#include "core/policy/importance.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// What a violation is to an adaptive window: the defaults of section 7.
constexpr double kViolationRatio = 4, kViolationFloor = 4;
constexpr double kSmoothing = 0.9;  // of their rate, section 9

// I_s of a token that was there before.
double next(const ImportanceOptions& options, double before, double score) {
  switch (options.rule) {
    case ImportanceRule::ema:
      return options.beta * before + (1 - options.beta) * score;
    case ImportanceRule::decayed_max:
      return std::max(score, options.beta * before);
    case ImportanceRule::accumulated:
      return before + score;
    case ImportanceRule::window_max:
      break;
  }
  return score;
}

}  // namespace

RunningImportance::RunningImportance(const Options& options, const Shape<3>& shape)
    : options_(options), shape_(shape), newest_(static_cast<std::size_t>(shape[0]), -1) {
  if (options_.rule != ImportanceRule::window_max) {
    options_.adaptive.reset();
    state_ = NdArray<double, 3>(shape);
    return;
  }
  for (std::int64_t layer = 0; layer < shape[0]; ++layer) {
    ring_.emplace_back(Shape<3>{n_ring(), shape[1], shape[2]});
  }
  if (!options_.adaptive) return;
  const auto first =
      std::clamp(options_.n_rows, options_.adaptive->n_min, options_.adaptive->n_max);
  windows_ = NdArray<float, 2>({shape[0], shape[1]}, static_cast<float>(first));
  watches_.resize(static_cast<std::size_t>(shape[0] * shape[1]));
}

std::int64_t RunningImportance::n_ring() const {
  return std::min(options_.adaptive ? options_.adaptive->n_max : options_.n_rows, shape_[2]);
}

void RunningImportance::make_room(std::int64_t n_tokens) {
  if (n_tokens <= shape_[2]) return;
  const Shape<3> before = shape_;
  shape_[2] = std::max(n_tokens, 2 * before[2]);
  if (!state_.empty()) {
    NdArray<double, 3> state(shape_);
    for (std::int64_t layer = 0; layer < shape_[0]; ++layer) {
      for (std::int64_t head = 0; head < shape_[1]; ++head) {
        std::copy_n(state_.sub(layer, head).data(), before[2], state.sub(layer, head).data());
      }
    }
    state_ = std::move(state);
  }
  for (std::size_t layer = 0; layer < ring_.size(); ++layer) {
    const NdArray<float, 3> old = std::move(ring_[layer]);
    NdArray<float, 3>& ring = ring_[layer] = NdArray<float, 3>({n_ring(), shape_[1], shape_[2]});
    const std::int64_t newest = newest_[layer];
    for (std::int64_t s = std::max<std::int64_t>(0, newest + 1 - old.shape(0)); s <= newest; ++s) {
      for (std::int64_t head = 0; head < shape_[1]; ++head) {
        std::copy_n(old.sub(s % old.shape(0), head).data(), before[2],
                    ring.sub(s % ring.shape(0), head).data());
      }
    }
  }
}

void RunningImportance::push(std::int64_t layer, std::int64_t position,
                             const NdView<const float, 3>& rows) {
  const std::int64_t n_rows = rows.shape(1);
  if (n_rows == 1) return push_row(layer, position, rows, 0);
  assert(position + n_rows <= shape_[2]);
  parallel_for(shape_[1], [&](std::int64_t head) {
    std::vector<float> scores(static_cast<std::size_t>(position + n_rows));
    for (std::int64_t row = 0; row < n_rows; ++row) {
      const auto seen = std::span(scores).first(static_cast<std::size_t>(position + row + 1));
      row_importance(rows, options_.reduce, head, shape_[1], row, seen, options_.head_stride);
      take(layer, head, position + row, seen);
    }
  });
  newest_[static_cast<std::size_t>(layer)] = position + n_rows - 1;
}

void RunningImportance::push_row(std::int64_t layer, std::int64_t position,
                                 const NdView<const float, 3>& rows, std::int64_t row) {
  assert(position < shape_[2]);
  std::vector<float> scores(static_cast<std::size_t>(position + 1));
  for (std::int64_t head = 0; head < shape_[1]; ++head) {
    row_importance(rows, options_.reduce, head, shape_[1], row, scores, options_.head_stride);
    take(layer, head, position, scores);
  }
  newest_[static_cast<std::size_t>(layer)] = position;
}

void RunningImportance::take(std::int64_t layer, std::int64_t head, std::int64_t position,
                             std::span<const float> scores) {
  if (!ring_.empty()) {
    if (options_.adaptive) adapt(layer, head, position, scores);
    auto& ring = ring_[static_cast<std::size_t>(layer)];
    std::ranges::copy(scores, ring.sub(position % ring.shape(0), head).data());
    return;
  }
  double* importance = state_.sub(layer, head).data();
  for (std::size_t t = 0; t + 1 < scores.size(); ++t) {
    importance[t] = next(options_, importance[t], scores[t]);
  }
  importance[position] = scores.back();
}

// The ring holds the rows before this one.
void RunningImportance::adapt(std::int64_t layer, std::int64_t head, std::int64_t position,
                              std::span<const float> scores) {
  const AdaptiveWindow& rule = *options_.adaptive;
  float& window = windows_(layer, head);
  const auto n = static_cast<std::int64_t>(window);
  if (position < n) return;  // no token was seen by n rows yet
  Watch& watch = watches_[static_cast<std::size_t>(layer * shape_[1] + head)];
  watch.mean =
      kSmoothing * watch.mean + (1 - kSmoothing) * violation_rate(layer, head, position, scores, n);
  watch.n_quiet = watch.mean < rule.lo ? watch.n_quiet + 1 : 0;
  if (watch.mean > rule.hi) {
    window = static_cast<float>(std::min(n + 1, rule.n_max));
  } else if (watch.n_quiet >= rule.hold) {
    window = static_cast<float>(std::max(n - 1, rule.n_min));
    watch.n_quiet = 0;
  }
}

double RunningImportance::violation_rate(std::int64_t layer, std::int64_t head,
                                         std::int64_t position, std::span<const float> scores,
                                         std::int64_t n) const {
  const NdArray<float, 3>& ring = ring_[static_cast<std::size_t>(layer)];
  const auto n_eligible = static_cast<std::size_t>(position - n + 1);
  std::vector<float> largest(n_eligible, 0.0f);
  for (std::int64_t s = position - n; s < position; ++s) {
    raise_to_maxima(ring.sub(s % ring.shape(0), head).span().first(n_eligible), largest.data());
  }
  const double floor = kViolationFloor / static_cast<double>(position + 1);
  std::int64_t n_violations = 0;
  for (std::size_t t = 0; t < n_eligible; ++t) {
    const double score = scores[t];
    n_violations += score > floor && score > kViolationRatio * double{largest[t]};
  }
  return static_cast<double>(n_violations) / static_cast<double>(n_eligible);
}

NdView<const float, 3> RunningImportance::of_first(std::int64_t n_tokens) {
  assert(n_tokens <= shape_[2]);
  const Shape<3> shape{shape_[0], shape_[1], n_tokens};
  const auto n = static_cast<std::size_t>(n_tokens);
  shown_.assign(static_cast<std::size_t>(element_count(shape)), 0.0f);
  const NdView<float, 3> shown(shown_.data(), shape);
  parallel_for(shape[0], [&](std::int64_t layer) {
    const std::int64_t newest = newest_[static_cast<std::size_t>(layer)];
    for (std::int64_t head = 0; head < shape[1]; ++head) {
      const auto out = shown.sub(layer, head).span();
      if (ring_.empty()) {
        const double* importance = state_.sub(layer, head).data();
        std::transform(importance, importance + n, out.begin(),
                       [](double x) { return static_cast<float>(x); });
        continue;
      }
      const auto& ring = ring_[static_cast<std::size_t>(layer)];
      const std::int64_t n_rows =
          options_.adaptive ? static_cast<std::int64_t>(windows_(layer, head)) : ring.shape(0);
      for (std::int64_t s = std::max<std::int64_t>(0, newest + 1 - n_rows); s <= newest; ++s) {
        raise_to_maxima(ring.sub(s % ring.shape(0), head).span().first(n), out.data());
      }
    }
  });
  return shown;
}

}  // namespace qaq
