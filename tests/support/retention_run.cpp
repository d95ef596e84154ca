#include "tests/support/retention_run.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace qaq::test {
namespace {

// The first tokens of each head: (n, tokens, D) of (n, T, D), or nothing where it was not asked
// for.
NdArray<float, 3> first_tokens(bool wanted, const NdArray<float, 3>& all, std::int64_t n_tokens) {
  if (!wanted) return {};
  NdArray<float, 3> out({all.shape(0), n_tokens, all.shape(2)});
  for (std::int64_t head = 0; head < out.shape(0); ++head) {
    std::copy_n(all.sub(head).data(), out.sub(head).size(), out.sub(head).data());
  }
  return out;
}

// The newest `n_rows` of the prompt's rows: (n_heads, n_rows, n_tokens).
NdArray<float, 3> newest_rows(std::int64_t n_rows, const NdArray<float, 3>& all,
                              std::int64_t n_tokens) {
  if (n_rows == 0) return {};
  NdArray<float, 3> out({all.shape(0), n_rows, n_tokens});
  for (std::int64_t head = 0; head < out.shape(0); ++head) {
    for (std::int64_t row = 0; row < n_rows; ++row) {
      std::copy_n(all.sub(head, n_tokens - n_rows + row).data(), n_tokens,
                  out.sub(head, row).data());
    }
  }
  return out;
}

}  // namespace

RetainedLayer synthetic_layer(const SyntheticShape& shape, std::uint32_t seed) {
  auto arrays = synthetic_arrays(shape, seed);
  RetainedLayer out{std::move(arrays.query[0]), std::move(arrays.key[0]),
                    std::move(arrays.value[0]), std::move(arrays.attention[0])};
  for (std::int64_t pair = 0; pair < shape.head_dim / 2; ++pair) {
    out.rope.push_back(
        std::pow(1e4, -2.0 * static_cast<double>(pair) / static_cast<double>(shape.head_dim)));
  }
  out.n_layers = shape.n_layers;
  return out;
}

RetentionRun::RetentionRun(const RetainedLayer& input, std::int64_t n_prompt,
                           const TokenRetention& policy)
    : input_(input), kept_({input.key.shape(0), n_prompt}, 1) {
  PromptView view{.layer = input.layer,
                  .shape = {input.n_layers, input.key.shape(0), n_prompt, input.key.shape(2)},
                  .n_heads = input.query.shape(0),
                  .rope = input.rope};
  layer_ = policy.open_layer(view.layer, view.shape, view.n_heads);
  const RetentionNeeds needs = policy.retention_needs();
  const bool all = needs.attention_rows == RetentionNeeds::kAllRows;
  const auto scores = newest_rows(all ? n_prompt : std::min(n_prompt, needs.attention_rows),
                                  input.attention, n_prompt);
  const auto query = first_tokens(needs.query, input.query, n_prompt);
  const auto key = first_tokens(needs.key, input.key, n_prompt);
  const auto value = first_tokens(needs.value, input.value, n_prompt);
  view.scores = scores.view();
  view.query = query.view();
  view.key = key.view();
  view.value = value.view();
  change([&](const NdView<std::uint8_t, 2>& kept) { layer_->prompt(view, kept); });
}

bool RetentionRun::step() {
  const std::int64_t token = kept_.shape(1), n_heads = input_.query.shape(0);
  if (token == input_.key.shape(1)) return false;
  NdArray<std::uint8_t, 2> grown({kept_.shape(0), token + 1}, 1);
  for (std::int64_t head = 0; head < kept_.shape(0); ++head) {
    std::ranges::copy(kept_.sub(head).span(), grown.sub(head).span().begin());
  }
  kept_ = std::move(grown);
  NdArray<float, 2> scores({n_heads, token + 1});
  for (std::int64_t head = 0; head < n_heads; ++head) {
    const std::int64_t kv_head = head * kept_.shape(0) / n_heads;
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t t = 0; t <= token; ++t) {
      double logit = 0;
      for (std::int64_t i = 0; i < input_.key.shape(2); ++i) {
        logit += double{input_.query(head, token, i)} * double{input_.key(kv_head, t, i)};
      }
      logit /= std::sqrt(static_cast<double>(input_.key.shape(2)));
      weights.push_back(kept_(kv_head, t) ? std::exp(logit) : 0.0);
      sum += weights.back();
    }
    for (std::int64_t t = 0; t <= token; ++t) {
      scores(head, t) = static_cast<float>(weights[static_cast<std::size_t>(t)] / sum);
    }
  }
  const StepView view{scores.view()};
  change([&](const NdView<std::uint8_t, 2>& kept) { layer_->step(view, kept); });
  return true;
}

template <class Change>
void RetentionRun::change(const Change& change) {
  const NdArray<std::uint8_t, 2> before = kept_.copy();
  change(kept_.view());
  for (std::int64_t i = 0; i < kept_.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (kept_.span()[at] > before.span()[at]) throw std::logic_error("a token returned");
  }
}

std::vector<std::int64_t> RetentionRun::kept_tokens(std::int64_t kv_head) const {
  std::vector<std::int64_t> out;
  for (std::int64_t token = 0; token < kept_.shape(1); ++token) {
    if (kept_(kv_head, token)) out.push_back(token);
  }
  return out;
}

}  // namespace qaq::test
