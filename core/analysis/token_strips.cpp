#include "core/analysis/token_strips.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace qaq {
namespace {

float kept_exactly(const CacheReplay& cache, std::int64_t layer, std::int64_t head,
                   std::int64_t token) {
  int n = 0;
  for (const std::uint8_t byte : cache.outliers.sub(layer, head, token).span()) {
    n += std::popcount(byte);
  }
  return static_cast<float>(n);
}

// The first and one behind the last of what `one` or all of `count` means.
struct Span {
  std::int64_t first, end;
};
Span span_of(std::optional<std::int32_t> one, std::int64_t count) {
  return one ? Span{*one, *one + 1} : Span{0, count};
}

void fill_cache(const StripInputs& inputs, TokenStrips& out) {
  const ReplayResult& replay = *inputs.replay;
  const CaptureInfo& info = *inputs.info;
  std::optional<std::int32_t> layer, head;
  if (inputs.head) {
    layer = inputs.head->layer;
    head = inputs.head->kv_head;
  }
  const Span layers = span_of(layer, info.n_captured_layers());
  const Span heads = span_of(head, info.shape.n_kv_heads);
  for (std::int64_t t = 0; t < replay.prefix; ++t) {
    constexpr int kNone = CacheReplay::kEvicted;  // more than any width
    int key = kNone, value = kNone;
    float most = 0;
    for (std::int64_t l = layers.first; l < layers.end; ++l) {
      for (std::int64_t h = heads.first; h < heads.end; ++h) {
        key = std::min<int>(key, replay.key.bits(l, h, t));
        value = std::min<int>(value, replay.value.bits(l, h, t));
        if (inputs.has_outliers) {
          most = std::max(most,
                          kept_exactly(replay.key, l, h, t) + kept_exactly(replay.value, l, h, t));
        }
      }
    }
    const auto token = static_cast<std::size_t>(t);
    if (key != kNone) out.key_bits[token] = static_cast<float>(key);
    if (value != kNone) out.value_bits[token] = static_cast<float>(value);
    if (inputs.has_outliers) out.outliers[token] = most;
  }
}

void fill_attention(const StripInputs& inputs, TokenStrips& out) {
  const std::int64_t prefix = inputs.replay->prefix;
  out.last_row = prefix - 1;
  out.first_row = std::max<std::int64_t>(0, prefix - inputs.n_rows);
  if (inputs.attention == nullptr) return;
  out.attention.assign(out.key_bits.size(), TokenStrips::kNone);
  for (std::int64_t row = out.first_row; row <= out.last_row; ++row) {
    for (std::int64_t t = 0; t < prefix; ++t) {
      const float score = inputs.attention->at(row, t);
      float& best = out.attention[static_cast<std::size_t>(t)];
      if (Heatmap::is_value(score) && !(best >= score)) best = score;
    }
  }
}

void count_violations(const StripInputs& inputs, TokenStrips& out) {
  if (inputs.violations == nullptr) return;
  const std::int64_t group = inputs.info->shape.group_size();
  for (const Violation& one : inputs.violations->violations) {
    if (inputs.head) {
      const StripInputs::Head& head = *inputs.head;
      const bool here =
          head.query_head >= 0 ? one.head == head.query_head : one.head / group == head.kv_head;
      if (one.layer != head.layer || !here) continue;
    }
    ++out.violations[static_cast<std::size_t>(one.token)];
  }
}

// Of what has a value.
void reduce_runs(std::vector<float>& numbers, const std::vector<TokenRange>& units, bool smallest) {
  if (numbers.empty()) return;
  for (const TokenRange& unit : units) {
    const auto begin = numbers.begin() + unit.first, end = numbers.begin() + unit.last + 1;
    float best = TokenStrips::kNone;
    for (auto at = begin; at != end; ++at) {
      if (std::isnan(*at)) continue;
      if (std::isnan(best) || (smallest ? *at < best : *at > best)) best = *at;
    }
    std::fill(begin, end, best);
  }
}

}  // namespace

TokenStrips token_strips(const StripInputs& inputs) {
  const auto n_tokens = static_cast<std::size_t>(inputs.info->n_tokens);
  TokenStrips out;
  out.key_bits.assign(n_tokens, TokenStrips::kNone);
  out.value_bits.assign(n_tokens, TokenStrips::kNone);
  if (inputs.has_outliers) out.outliers.assign(n_tokens, TokenStrips::kNone);
  out.violations.assign(n_tokens, 0);
  fill_cache(inputs, out);
  fill_attention(inputs, out);
  count_violations(inputs, out);
  return out;
}

TokenStrips by_unit(const TokenStrips& strips, const std::vector<TokenRange>& units) {
  TokenStrips out = strips;
  reduce_runs(out.key_bits, units, true);
  reduce_runs(out.value_bits, units, true);
  reduce_runs(out.outliers, units, false);
  reduce_runs(out.attention, units, false);
  for (const TokenRange& unit : units) {
    const auto begin = out.violations.begin() + unit.first;
    const auto end = out.violations.begin() + unit.last + 1;
    std::int32_t sum = 0;
    for (auto at = begin; at != end; ++at) sum += *at;
    std::fill(begin, end, sum);
  }
  return out;
}

}  // namespace qaq
