#include "core/replay/running_importance.h"

#include <algorithm>
#include <cassert>

#include "core/base/parallel.h"
#include "core/policy/importance.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// I_s of a token that was there before.
double next(const RunningImportance::Options& options, double before, double score) {
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
    : options_(options), shape_(shape) {
  if (options_.rule != ImportanceRule::window_max) {
    state_ = NdArray<double, 3>(shape);
    return;
  }
  options_.n_rows = std::min(options_.n_rows, shape[2]);
  for (std::int64_t layer = 0; layer < shape[0]; ++layer) {
    window_.emplace_back(Shape<3>{options_.n_rows, shape[1], shape[2]});
  }
}

void RunningImportance::push(std::int64_t layer, std::int64_t position,
                             const NdView<const float, 3>& row) {
  assert(position < shape_[2]);
  NdArray<float, 2> scores({shape_[1], position + 1});
  window_importance(row, options_.reduce, scores.view());
  for (std::int64_t head = 0; head < shape_[1]; ++head) {
    const auto s = scores.sub(head).span();
    if (!window_.empty()) {
      auto& rows = window_[static_cast<std::size_t>(layer)];
      std::copy(s.begin(), s.end(), rows.sub(position % options_.n_rows, head).data());
      continue;
    }
    double* importance = state_.sub(layer, head).data();
    for (std::size_t t = 0; t + 1 < s.size(); ++t) {
      importance[t] = next(options_, importance[t], s[t]);
    }
    importance[position] = s.back();
  }
}

NdView<const float, 3> RunningImportance::of_first(std::int64_t n_tokens) {
  assert(n_tokens <= shape_[2]);
  const Shape<3> shape{shape_[0], shape_[1], n_tokens};
  const auto n = static_cast<std::size_t>(n_tokens);
  shown_.assign(static_cast<std::size_t>(element_count(shape)), 0.0f);
  const NdView<float, 3> shown(shown_.data(), shape);
  parallel_for(shape[0], [&](std::int64_t layer) {
    for (std::int64_t head = 0; head < shape[1]; ++head) {
      const auto out = shown.sub(layer, head).span();
      if (window_.empty()) {
        const double* importance = state_.sub(layer, head).data();
        std::transform(importance, importance + n, out.begin(),
                       [](double x) { return static_cast<float>(x); });
        continue;
      }
      const auto& rows = window_[static_cast<std::size_t>(layer)];
      for (std::int64_t row = 0; row < rows.shape(0); ++row) {
        raise_to_maxima(rows.sub(row, head).span().first(n), out.data());
      }
    }
  });
  return shown;
}

}  // namespace qaq
