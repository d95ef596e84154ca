#include "core/policy/unit_facts.h"

#include <algorithm>

#include "core/quant/unit_errors.h"

namespace qaq {
namespace {

// The maximum over the rows of the cache that each unit spans.
std::vector<float> largest_of_unit(const UnitLayout& layout,
                                   const NdView<const float, 3>& numbers) {
  if (numbers.empty()) return {};
  std::vector<float> out(static_cast<std::size_t>(layout.n_units()), 0.0f);
  // A unit never spans two tokens.
  layout.for_each_row(
      [&](std::int64_t unit, std::int64_t layer, std::int64_t head, std::int64_t token) {
        float& largest = out[static_cast<std::size_t>(unit)];
        largest = std::max(largest, numbers(layer, head, token));
      });
  return out;
}

// The maximum over the layers and KV heads of each of a token's units.
std::vector<float> largest_of_head(const UnitLayout& layout,
                                   const NdView<const float, 2>& numbers) {
  if (numbers.empty()) return {};
  std::vector<float> out(static_cast<std::size_t>(layout.units_per_token()), 0.0f);
  for (std::int64_t layer = 0; layer < numbers.shape(0); ++layer) {
    for (std::int64_t head = 0; head < numbers.shape(1); ++head) {
      float& unit = out[static_cast<std::size_t>(layout.unit(layer, head, 0))];
      unit = std::max(unit, numbers(layer, head));
    }
  }
  return out;
}

// The maximum over the tokens of each block.
std::vector<float> largest_of_block(const UnitLayout& layout, std::int64_t block_size,
                                    std::vector<float> numbers) {
  if (numbers.empty() || block_size == 1) return numbers;
  layout.for_each_block(block_size, [&](std::int64_t unit, std::int64_t n, std::int64_t step) {
    float largest = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      largest = std::max(largest, numbers[static_cast<std::size_t>(unit + i * step)]);
    }
    for (std::int64_t i = 0; i < n; ++i)
      numbers[static_cast<std::size_t>(unit + i * step)] = largest;
  });
  return numbers;
}

}  // namespace

UnitFactsTable::UnitFactsTable(const PolicyView& view, bool symmetric, float fixed_q_norm,
                               std::int64_t block_size)
    : stats_(view.stats),
      errors_(view.errors),
      units_per_token_(view.layout.units_per_token()),
      n_tokens_(view.layout.shape().n_tokens),
      symmetric_(symmetric),
      fixed_q_norm_(fixed_q_norm),
      importance_(
          largest_of_block(view.layout, block_size, largest_of_unit(view.layout, view.importance))),
      distance_(largest_of_unit(view.layout, view.distance)),
      q_norm_(largest_of_head(view.layout, view.q_norm)),
      window_(largest_of_head(view.layout, view.window)) {}

UnitFacts UnitFactsTable::operator[](std::size_t unit) const {
  const auto per_token = static_cast<std::size_t>(units_per_token_);
  UnitFacts facts;
  facts.token = static_cast<std::int64_t>(unit / per_token);
  facts.range = stats_[unit].range(symmetric_);
  if (!importance_.empty()) facts.importance = importance_[unit];
  facts.q_norm = q_norm_.empty() ? fixed_q_norm_ : q_norm_[unit % per_token];
  if (!window_.empty()) {
    facts.first_forced = n_tokens_ + 1 - static_cast<std::int64_t>(window_[unit % per_token]);
  }
  if (!distance_.empty()) facts.distance = distance_[unit];
  if (!errors_.empty()) {
    facts.errors = errors_.subspan(unit * kBitChoices, static_cast<std::size_t>(kBitChoices));
  }
  return facts;
}

}  // namespace qaq
