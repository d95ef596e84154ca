#include "core/analysis/distribution.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <utility>

#include "core/analysis/row_table.h"
#include "core/evaluate/statistics.h"
#include "core/quant/arith.h"
#include "core/replay/cache_replay.h"

namespace qaq {
namespace {

constexpr std::int64_t kBins = 120;  // an even number, so that 0 lies between two
// In standard deviations: no number of a unit of 64 lies beyond 8.
constexpr double kScaledEdge = 8;
constexpr double kTail = 2;  // where the paper magnifies

// Captured layers and KV heads of a place: [first, last).
struct Extent {
  std::int64_t first_layer, last_layer, first_head, last_head;
};

Extent extent_of(const DistributionPlace& place, std::int64_t n_layers, std::int64_t n_kv_heads) {
  switch (place.scope) {
    case DistributionScope::head:
      return {place.layer, place.layer + 1, place.kv_head, place.kv_head + 1};
    case DistributionScope::layer:
      return {place.layer, place.layer + 1, 0, n_kv_heads};
    case DistributionScope::capture:
      break;
  }
  return {0, n_layers, 0, n_kv_heads};
}

// Calls `body` with the tokens of every head of the place, (prefix, head_dim).
template <class Body>
void for_each_head(const CaptureView& capture, CacheSide side, const DistributionPlace& place,
                   const Work& work, const Body& body) {
  const CaptureInfo& info = capture.info();
  const Extent extent = extent_of(place, info.n_captured_layers(), info.shape.n_kv_heads);
  for (std::int64_t layer = extent.first_layer; layer < extent.last_layer; ++layer) {
    work.throw_if_stopped();
    const SharedArray<float, 3> values = exact_layer(capture, side, layer);
    for (std::int64_t head = extent.first_head; head < extent.last_head; ++head) {
      body(NdView<const float, 2>(values->sub(head).data(), {place.prefix, values->shape(2)}));
    }
  }
}

ValueDistribution distribution_of(const CaptureView& capture, CacheSide side,
                                  const DistributionPlace& place, const Work& work) {
  ValueRanks::Counter counter;
  double sum = 0, largest = 0;
  std::int64_t n = 0;
  for_each_head(capture, side, place, work, [&](NdView<const float, 2> head) {
    for (const float x : head.span()) {
      counter.add(x);
      sum += x;
      largest = std::max(largest, std::abs(double{x}));
    }
    n += head.size();
  });
  // The largest number lies in the last bin, not on its end.
  const double edge = largest > 0 ? largest * (1 + 1e-6) : 1;
  ValueDistribution out{
      .histograms = {.raw = {kBins, edge, kTail}, .scaled = {kBins, kScaledEdge, kTail}},
      .ranks = counter.finish()};
  out.mean = sum / static_cast<double>(n);
  double squares = 0;
  for_each_head(capture, side, place, work, [&](NdView<const float, 2> head) {
    out.histograms.add(head);
    for (const float x : head.span()) squares += (x - out.mean) * (x - out.mean);
    if (place.scope == DistributionScope::head) out.channels = channel_ranges(head);
  });
  out.deviation = std::sqrt(squares / static_cast<double>(n));
  return out;
}

Column cache_column() {
  return {.name = "cache", .kind = ColumnKind::choice, .choices = {"key", "value"}};
}

}  // namespace

std::vector<ChannelRange> channel_ranges(NdView<const float, 2> head) {
  std::vector<ChannelRange> out;
  std::vector<double> values(static_cast<std::size_t>(head.shape(0)));
  for (std::int64_t channel = 0; channel < head.shape(1); ++channel) {
    for (std::int64_t token = 0; token < head.shape(0); ++token) {
      values[static_cast<std::size_t>(token)] = head(token, channel);
    }
    std::ranges::sort(values);
    out.push_back({values.front(), quantile(values, 0.01), quantile(values, 0.5),
                   quantile(values, 0.99), values.back()});
  }
  return out;
}

OutlierCut ValueDistribution::cut(double ratio) const {
  const std::int64_t n = ranks.n();
  const std::int64_t low = k_low(ratio, n), high = k_high(ratio, n);
  if (ratio <= 0 || high <= low) return {ranks.at(1), ranks.at(n)};
  return {ranks.at(low), ranks.at(high)};
}

double ValueDistribution::ratio_at(double x) const {
  const std::int64_t n = ranks.n();
  const std::int64_t up_to = ranks.n_up_to(x);
  return 2 * static_cast<double>(std::min(up_to, n - up_to)) / static_cast<double>(n);
}

Distributions distributions(const CaptureView& capture, const DistributionPlace& place,
                            const Work& work) {
  assert(place.prefix >= 1 && place.prefix <= capture.info().n_tokens);
  return {place, distribution_of(capture, CacheSide::key, place, work),
          distribution_of(capture, CacheSide::value, place, work)};
}

double share_kept(const CacheReplay& cache, const DistributionPlace& place) {
  const auto& mask = cache.outliers;
  const Extent extent = extent_of(place, mask.shape(0), mask.shape(1));
  std::int64_t n = 0, n_kept = 0;  // rows, and numbers that were kept
  for (std::int64_t layer = extent.first_layer; layer < extent.last_layer; ++layer) {
    for (std::int64_t head = extent.first_head; head < extent.last_head; ++head) {
      for (std::int64_t token = 0; token < place.prefix; ++token) {
        for (const std::uint8_t byte : mask.sub(layer, head, token).span()) {
          n_kept += std::popcount(byte);
        }
      }
      n += place.prefix;
    }
  }
  const std::int64_t head_dim = cache.n_values / (mask.shape(0) * mask.shape(1) * place.prefix);
  return static_cast<double>(n_kept) / static_cast<double>(n * head_dim);
}

Table distribution_table(const Distributions& all) {
  std::vector<std::vector<Cell>> rows;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const UnitHistograms& histograms = all.of(side).histograms;
    for (const Histogram* h : {&histograms.raw, &histograms.scaled}) {
      for (std::int64_t bin = 0; bin < h->n_bins(); ++bin) {
        rows.push_back({std::int64_t{side == CacheSide::value},
                        std::int64_t{h == &histograms.scaled}, real_cell(h->centre(bin)),
                        real_cell(h->width()), h->count(bin), real_cell(h->density(bin))});
      }
    }
  }
  return table_of({cache_column(),
                   {.name = "scale", .kind = ColumnKind::choice, .choices = {"raw", "z"}},
                   real_column("centre"),
                   real_column("width"),
                   {.name = "count"},
                   real_column("density")},
                  std::move(rows));
}

Table channel_table(const Distributions& all) {
  std::vector<std::vector<Cell>> rows;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const std::vector<ChannelRange>& channels = all.of(side).channels;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const ChannelRange& c = channels[i];
      rows.push_back({std::int64_t{side == CacheSide::value}, static_cast<std::int64_t>(i),
                      real_cell(c.least), real_cell(c.p1), real_cell(c.median), real_cell(c.p99),
                      real_cell(c.most)});
    }
  }
  return table_of({cache_column(),
                   {.name = "channel"},
                   real_column("least"),
                   real_column("p1"),
                   real_column("median"),
                   real_column("p99"),
                   real_column("most")},
                  std::move(rows));
}

}  // namespace qaq
