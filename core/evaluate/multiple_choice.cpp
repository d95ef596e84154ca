#include "core/evaluate/multiple_choice.h"

#include <algorithm>
#include <span>

#include "core/evaluate/position_score.h"

namespace qaq {
namespace {

double divisor(const ChoiceQuestion& question, std::size_t choice, LengthNorm norm) {
  switch (norm) {
    case LengthNorm::tokens:
      return static_cast<double>(question.choices[choice].size() - question.question.size());
    case LengthNorm::bytes:
      return static_cast<double>(question.n_bytes[choice]);
    case LengthNorm::none:
      break;
  }
  return 1;
}

// Log-probabilities of what follows each row but the last, which nothing follows.
double sum_of(const std::vector<PositionScore>& positions, double PositionScore::*nll) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < positions.size(); ++i) sum -= positions[i].*nll;
  return sum;
}

}  // namespace

std::int64_t ChoiceQuestion::longest() const {
  std::size_t most = question.size();
  for (const auto& ids : choices) most = std::max(most, ids.size());
  return static_cast<std::int64_t>(most);
}

ItemResult score_question(PrefixRun& run, const ChoiceQuestion& question,
                          const ChoiceOptions& options, const Work& work) {
  const std::size_t n_prefix = question.question.size();
  ItemBuilder builder(run, question.id);
  ItemResult& item = builder.item();
  item.answer = question.answer;
  std::vector<std::vector<float>> first_logits(run.n_settings());
  bool have_prefix = false;  // of this question
  for (std::size_t c = 0; c < question.choices.size(); ++c) {
    const std::span<const std::int32_t> ids(question.choices[c]);
    const auto prefix = ids.first(n_prefix);
    if (!std::ranges::equal(prefix, question.question)) item.boundary_mismatch = true;
    if (!have_prefix || !std::ranges::equal(prefix, run.prefix())) {
      run.set_prefix(prefix, work);
      have_prefix = true;
      for (std::size_t i = 0; i < run.n_settings(); ++i) {
        if (options.first_token == FirstToken::full) {
          first_logits[i].assign(run.prefix_logits().begin(), run.prefix_logits().end());
        } else {
          first_logits[i] = run.requantized_prefix_logits(i, work);
        }
      }
    }
    builder.add_cache();
    std::vector<std::int32_t> next(ids.begin() + static_cast<std::ptrdiff_t>(n_prefix) + 1,
                                   ids.end());
    next.push_back(-1);
    const auto scores = run.run_tail({ids.subspan(n_prefix), next}, work);
    builder.add_tail(scores);

    const double by = divisor(question, c, options.length_norm);
    const std::int32_t first = ids[n_prefix];
    item.choices.log_probability.push_back(
        (log_probability(run.prefix_logits(), first) +
         sum_of(scores.front().positions, &PositionScore::reference_nll)) /
        by);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      item.settings[i].choices.log_probability.push_back(
          (log_probability(first_logits[i], first) +
           sum_of(scores[i].positions, &PositionScore::nll)) /
          by);
    }
  }
  return builder.finish();
}

}  // namespace qaq
