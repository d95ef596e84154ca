#include "core/replay/streamed_cache.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <set>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/cache_codec.h"
#include "core/quant/quantize.h"

namespace qaq {
namespace {

// Calls body(layer, kv_head) for the rows of a unit, which are of one token.
template <class Body>
void for_rows_of(const UnitLayout& layout, std::size_t unit, const Body& body) {
  const CacheShape& shape = layout.shape();
  const auto in_token = static_cast<std::int64_t>(unit) % layout.units_per_token();
  const bool whole_token = layout.level() == Level::token;
  const bool whole_layer = whole_token || layout.level() == Level::layer;
  const std::int64_t n_heads = whole_layer ? shape.n_kv_heads : 1;
  const std::int64_t first_row = in_token * n_heads;  // of the token's, by layer and head
  const std::int64_t n_rows = whole_token ? shape.n_layers * n_heads : n_heads;
  for (std::int64_t row = first_row; row < first_row + n_rows; ++row) {
    body(row / shape.n_kv_heads, row % shape.n_kv_heads);
  }
}

// Quantizes values that were quantized before. Dequantized values may lie beyond the thresholds
// of their unit's outliers, so outliers are told by the exact values, which they are.
void quantize_again(const QuantizerSpec& spec, UnitStats stats, int n_bits,
                    std::span<const float> exact, std::span<float> values) {
  const UnitStats own = stats;
  stats.low = -std::numeric_limits<float>::infinity();
  stats.high = std::numeric_limits<float>::infinity();
  stats.last_tied = -1;
  quantize_values(spec, stats, n_bits, values, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (own.is_outlier(exact[i], static_cast<std::int64_t>(i))) values[i] = exact[i];
  }
}

}  // namespace

CacheChanges& CacheChanges::operator+=(const CacheChanges& other) {
  promotions += other.promotions;
  demotions += other.demotions;
  fetched += other.fetched;
  requantized_values += other.requantized_values;
  h2d += other.h2d;
  return *this;
}

StreamedCache::StreamedCache(std::span<const CacheLayer> exact, std::span<const UnitStats> stats,
                             const CacheShape& shape, const StreamingParams& params, Empty)
    : exact_(exact),
      stats_(stats),
      params_(params),
      values_per_token_(shape.n_layers * shape.n_kv_heads * shape.head_dim),
      values_({shape.n_layers, shape.n_kv_heads, shape.n_tokens, shape.head_dim}) {}

StreamedCache::StreamedCache(std::span<const CacheLayer> exact, std::span<const UnitStats> stats,
                             const CacheShape& shape, const StreamingParams& params)
    : StreamedCache(exact, stats, shape, params, Empty{}) {
  append(0, shape.n_tokens);
}

StreamedCache StreamedCache::empty(std::span<const CacheLayer> exact,
                                   std::span<const UnitStats> stats, const CacheShape& shape,
                                   const StreamingParams& params) {
  return {exact, stats, shape, params, Empty{}};
}

void StreamedCache::append(std::int64_t first, std::int64_t end) {
  assert(first <= end && end <= values_.shape(2));
  if (first == end) return;
  for (std::int64_t layer = 0; layer < values_.shape(0); ++layer) {
    for (std::int64_t head = 0; head < values_.shape(1); ++head) {
      const float* from = exact_[static_cast<std::size_t>(layer)].sub(head, first).data();
      std::copy_n(from, (end - first) * values_.shape(3), values_.sub(layer, head, first).data());
    }
  }
}

CacheChanges StreamedCache::follow(const Plan& plan) {
  CacheChanges out;
  const std::size_t n_before = held_.n_bits.size();
  std::vector<std::uint8_t> n_bits = std::move(held_.n_bits);
  assert(plan.n_bits.size() >= n_before);
  held_ = plan;
  changes_.clear();
  rows_.clear();
  if (plan.codec) return follow_codec();
  if (plan.keeps_all()) return out;
  n_below_.resize(plan.n_bits.size(), 0);

  for (std::size_t unit = 0; unit < plan.n_bits.size(); ++unit) {
    if (!plan.keeps_unit(unit)) continue;
    if (unit >= n_before) {
      ++out.demotions;
      changes_.push_back({unit, Source::device});
      continue;
    }
    const int now = n_bits[unit], wanted = plan.n_bits[unit];
    if (params_.requantize_history) {
      out.demotions += wanted < now ? 1 : 0;
      out.promotions += wanted > now ? 1 : 0;
      changes_.push_back({unit, Source::history});
      continue;
    }
    n_below_[unit] = wanted < now ? n_below_[unit] + 1 : 0;
    if (n_below_[unit] >= params_.demote_patience) {
      n_below_[unit] = 0;
      ++out.demotions;
      changes_.push_back(
          {unit, params_.demote_from == DemoteFrom::cpu ? Source::host : Source::device});
    } else if (wanted > now + params_.promote_hysteresis) {
      ++out.promotions;
      changes_.push_back({unit, Source::host});
    } else {
      held_.n_bits[unit] = n_bits[unit];
      if (wanted == now && params_.refetch_equal) changes_.push_back({unit, Source::host});
    }
  }

  constexpr std::size_t kBlock = 64;
  const std::size_t n_blocks = (changes_.size() + kBlock - 1) / kBlock;
  parallel_for(static_cast<std::int64_t>(n_blocks), [&](std::int64_t block) {
    const std::size_t first = static_cast<std::size_t>(block) * kBlock;
    const std::size_t end = std::min(changes_.size(), first + kBlock);
    for (std::size_t i = first; i < end; ++i) quantize(changes_[i]);
  });
  const std::int64_t unit_size = held_.layout.unit_size();
  out.requantized_values = static_cast<std::int64_t>(changes_.size()) * unit_size;
  out.fetched = std::count_if(changes_.begin(), changes_.end(),
                              [](const Change& c) { return c.source == Source::host; });
  out.h2d = fetch(changes_);
  // Of units that were quantized by ranges of their own the outliers are counted as of exact ones.
  packed_ = qaq::packed_bytes(held_, stats_.first(held_.n_bits.size()),
                              packed_format(held_.quantizer, DType::f16));
  return out;
}

CacheChanges StreamedCache::follow_codec() {
  const CacheCodec& codec = *held_.codec;
  if (codec.rows_depend_on() == CacheCodec::RowsDependOn::later_rows) {
    refuse_usage({.place = "--policy",
                  .what = "quantizes rows together with others that come or go, so that decoding "
                          "fixes none of them",
                  .cure = "replay the whole cache at once, without --streaming"});
  }
  if (is_quantized_.empty()) {
    is_quantized_ =
        NdArray<std::uint8_t, 3>({values_.shape(0), values_.shape(1), values_.shape(2)});
  }
  const std::int64_t n_tokens = held_.layout.shape().n_tokens;
  NdArray<float, 3> read;
  for (std::int64_t layer = 0; layer < values_.shape(0); ++layer) {
    const std::size_t n_before = rows_.size();
    for (std::int64_t head = 0; head < values_.shape(1); ++head) {
      for (std::int64_t token = 0; token < n_tokens; ++token) {
        if (is_quantized_(layer, head, token) != 0 || !held_.is_kept(layer, head, token) ||
            !codec.n_bits(layer, head, token)) {
          continue;
        }
        is_quantized_(layer, head, token) = 1;
        rows_.push_back({layer, head, token});
      }
    }
    if (rows_.size() == n_before) continue;
    const CacheLayer& exact = exact_[static_cast<std::size_t>(layer)];
    if (read.empty()) read = NdArray<float, 3>(exact.shape());
    codec.quantize(layer, exact, read.view(), {});
    for (const Row& row : std::span(rows_).subspan(n_before)) {
      std::ranges::copy(read.sub(row.head, row.token).span(),
                        values_.sub(layer, row.head, row.token).data());
    }
  }
  packed_ = codec.bytes(DType::f16);
  CacheChanges out;
  out.demotions = std::ssize(rows_);
  out.requantized_values = out.demotions * values_.shape(3);
  return out;
}

double StreamedCache::mean_bits() const {
  if (!held_.codec) return held_.mean_bits();
  double sum = 0;
  std::int64_t n = 0;
  const CacheShape& shape = held_.layout.shape();
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
        if (!held_.is_kept(layer, head, token)) continue;
        const auto n_bits = held_.codec->n_bits(layer, head, token);
        if (!n_bits) continue;
        sum += *n_bits;
        ++n;
      }
    }
  }
  return n == 0 ? 0 : sum / static_cast<double>(n);
}

void StreamedCache::for_changed_rows(
    const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& body) const {
  for (const Row& row : rows_) body(row.layer, row.head, row.token);
  for (const Change& change : changes_) {
    const auto token = static_cast<std::int64_t>(change.unit) / held_.layout.units_per_token();
    for_rows_of(held_.layout, change.unit,
                [&](std::int64_t layer, std::int64_t head) { body(layer, head, token); });
  }
}

void StreamedCache::quantize_history(std::size_t unit) {
  const auto token = static_cast<std::int64_t>(unit) / held_.layout.units_per_token();
  std::vector<float> all;
  for_rows_of(held_.layout, unit, [&](std::int64_t layer, std::int64_t head) {
    const auto row = values_.sub(layer, head, token).span();
    all.insert(all.end(), row.begin(), row.end());
  });
  const UnitStats own = stats_of_unit(all, held_.quantizer);
  for_rows_of(held_.layout, unit, [&](std::int64_t layer, std::int64_t head) {
    const auto row = values_.sub(layer, head, token).span();
    quantize_values(held_.quantizer, own.behind(held_.layout.first_in_unit(layer, head)),
                    held_.n_bits[unit], row, row);
  });
}

void StreamedCache::quantize(const Change& change) {
  if (change.source == Source::history) {
    quantize_history(change.unit);
    return;
  }
  const int n_bits = held_.n_bits[change.unit];
  const auto token = static_cast<std::int64_t>(change.unit) / held_.layout.units_per_token();
  for_rows_of(held_.layout, change.unit, [&](std::int64_t layer, std::int64_t head) {
    const auto exact = exact_[static_cast<std::size_t>(layer)].sub(head, token).span();
    const auto values = values_.sub(layer, head, token).span();
    const UnitStats stats = stats_[change.unit].behind(held_.layout.first_in_unit(layer, head));
    if (change.source == Source::host) {
      quantize_values(held_.quantizer, stats, n_bits, exact, values);
    } else {
      quantize_again(held_.quantizer, stats, n_bits, exact, values);
    }
  });
}

Transfers StreamedCache::fetch(std::span<const Change> changes) const {
  Transfers out;
  std::set<std::int64_t> layers;
  const bool one_layer = held_.layout.level() != Level::token;
  for (const Change& change : changes) {
    if (change.source != Source::host) continue;
    ++out.count;
    out.bytes += held_.layout.unit_size() * kStreamedBytes;
    const std::int64_t in_token =
        static_cast<std::int64_t>(change.unit) % held_.layout.units_per_token();
    const std::int64_t units_per_layer =
        held_.layout.units_per_token() / held_.layout.shape().n_layers;
    layers.insert(one_layer ? in_token / units_per_layer : 0);
  }
  if (params_.fetch_granularity == FetchGranularity::layer) {
    out.count = static_cast<std::int64_t>(layers.size());
  }
  return out;
}

std::int64_t StreamedCache::transfers_per_token() const {
  if (params_.fetch_granularity == FetchGranularity::unit) return held_.layout.units_per_token();
  return held_.layout.level() == Level::token ? 1 : held_.layout.shape().n_layers;
}

std::int64_t StreamedCache::resident_bytes(std::int64_t n_tokens) const {
  const std::int64_t n_planned = held_.layout.shape().n_tokens;
  const std::int64_t exact = (n_tokens - n_planned) * values_per_token_ * kStreamedBytes;
  if (!held_.keeps_all()) return packed_.total() + exact;
  return held_.n_rows() * values_.shape(3) * kStreamedBytes + exact;
}

}  // namespace qaq
