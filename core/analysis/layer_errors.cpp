#include "core/analysis/layer_errors.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <limits>
#include <span>
#include <string>

#include "core/analysis/row_table.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

constexpr double kLow = 0.1, kHigh = 0.9;

bool is_of_cache(ErrorOf which) { return which == ErrorOf::key || which == ErrorOf::value; }

// (n_layers, n_kv_heads, T) of a cache, else (n_layers, n_heads, T_query).
const NdArray<float, 3>& errors_of(const ReplayResult& result, ErrorOf which) {
  switch (which) {
    case ErrorOf::key:
      return result.key.error;
    case ErrorOf::value:
      return result.value.error;
    case ErrorOf::attention:
      return result.attention_error;
    case ErrorOf::output:
      return result.output_error;
  }
  return result.key.error;
}

// The first and the last but one of an error's last axis that were measured.
struct Measured {
  std::int64_t first = 0, last = 0;
};
Measured measured(const ReplayResult& result, const CaptureInfo& info, ErrorOf which) {
  if (is_of_cache(which)) return {0, result.prefix};
  return {first_replayed_row(info, result.prefix), info.n_query_rows()};
}

// The smallest of `numbers` that at least a share p of them do not exceed; NaN of none. Reorders
// them.
double quantile(std::vector<float>& numbers, double p) {
  if (numbers.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(p * static_cast<double>(numbers.size())));
  const auto at = numbers.begin() + std::max<std::ptrdiff_t>(rank, 1) - 1;
  std::nth_element(numbers.begin(), at, numbers.end());
  return *at;
}

ErrorBand band_of(const NdArray<float, 3>& errors, const Measured& part) {
  const auto n_layers = static_cast<std::size_t>(errors.shape(0));
  ErrorBand band{std::vector<double>(n_layers), std::vector<double>(n_layers),
                 std::vector<double>(n_layers)};
  parallel_for(errors.shape(0), [&](std::int64_t layer) {
    std::vector<float> numbers;
    double sum = 0;
    for (std::int64_t head = 0; head < errors.shape(1); ++head) {
      const auto row = errors.sub(layer, head)
                           .span()
                           .subspan(static_cast<std::size_t>(part.first),
                                    static_cast<std::size_t>(part.last - part.first));
      for (const float error : row) {
        if (std::isnan(error)) continue;  // evicted
        sum += error;
        numbers.push_back(error);
      }
    }
    const auto at = static_cast<std::size_t>(layer);
    band.mean[at] = sum / static_cast<double>(numbers.size());
    band.p10[at] = quantile(numbers, kLow);
    band.p90[at] = quantile(numbers, kHigh);
  });
  return band;
}

// Letters as in the mathematics.
std::string name_of(ErrorOf which) {
  switch (which) {
    case ErrorOf::key:
      return "K";
    case ErrorOf::value:
      return "V";
    case ErrorOf::attention:
      return "attention";
    case ErrorOf::output:
      return "output";
  }
  return {};
}

// (tokens, layers and KV heads) of an error map; null where nothing is evicted.
SharedArray<std::uint8_t, 2> evicted_errors(const ReplayResult& result, const CaptureInfo& info,
                                            ErrorOf which) {
  const CacheReplay& cache = which == ErrorOf::key ? result.key : result.value;
  if (!cache.evicts()) return nullptr;
  const std::int64_t n_heads = info.shape.n_kv_heads;
  NdArray<std::uint8_t, 2> out({info.n_tokens, info.shape.n_layers * n_heads});
  for (std::int64_t index = 0; index < cache.error.shape(0); ++index) {
    const std::int64_t layer = info.layers[static_cast<std::size_t>(index)];
    for (std::int64_t head = 0; head < n_heads; ++head) {
      for (std::int64_t token = 0; token < result.prefix; ++token) {
        out(token, layer * n_heads + head) = std::isnan(cache.error(index, head, token));
      }
    }
  }
  return std::make_shared<const NdArray<std::uint8_t, 2>>(std::move(out));
}

}  // namespace

bool has_errors(const ReplayResult& result, ErrorOf which) {
  return !errors_of(result, which).empty();
}

LayerErrors layer_errors(const ReplayResult& result, const CaptureInfo& info) {
  LayerErrors out;
  out.layers = info.layers;
  for (const ErrorOf which : kAllErrors) {
    if (!has_errors(result, which)) continue;
    out.bands[static_cast<std::size_t>(which)] =
        band_of(errors_of(result, which), measured(result, info, which));
  }
  return out;
}

Heatmap error_map(const ReplayResult& result, const CaptureInfo& info, ErrorOf which) {
  assert(has_errors(result, which));
  const NdArray<float, 3>& errors = errors_of(result, which);
  const Measured part = measured(result, info, which);
  const std::int64_t n_kv_heads = info.shape.n_kv_heads;
  const std::int64_t n_merged = errors.shape(1) / n_kv_heads;
  NdArray<float, 2> cells({info.n_tokens, info.shape.n_layers * n_kv_heads}, Heatmap::kAbsent);
  const auto position = [&](std::int64_t i) {
    return is_of_cache(which) ? i : info.query_token[static_cast<std::size_t>(i)];
  };
  for (std::int64_t index = 0; index < errors.shape(0); ++index) {
    const std::int64_t layer = info.layers[static_cast<std::size_t>(index)];
    for (std::int64_t head = 0; head < errors.shape(1); ++head) {
      const std::int64_t column = layer * n_kv_heads + head / n_merged;
      for (std::int64_t i = 0; i < errors.shape(2); ++i) {
        float& cell = cells(position(i), column);
        if (i < part.first || i >= part.last) {
          cell = Heatmap::kImpossible;
        } else {
          const float error = errors(index, head, i);
          cell = Heatmap::is_value(cell) ? std::max(cell, error) : error;
        }
      }
    }
  }
  Heatmap map(std::move(cells));
  if (is_of_cache(which)) map.mark_evicted(evicted_errors(result, info, which));
  return map;
}

Table layer_errors_table(const LayerErrors& errors) {
  std::vector<Column> columns{{.name = "layer"}};
  std::vector<std::vector<Cell>> rows;
  for (const std::int32_t layer : errors.layers) rows.push_back({std::int64_t{layer}});
  for (const ErrorOf which : kAllErrors) {
    if (!errors.has(which)) continue;
    const std::string name(ChoiceNames<ErrorOf>::names[static_cast<std::size_t>(which)]);
    const ErrorBand& band = errors.of(which);
    for (const auto& [what, numbers] :
         {std::pair{"mean", &band.mean}, {"p10", &band.p10}, {"p90", &band.p90}}) {
      columns.push_back({.name = cat(name, "_", what), .kind = ColumnKind::real, .unit = "1"});
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(real_cell((*numbers)[i]));
    }
  }
  return table_of(std::move(columns), std::move(rows));
}

ChartPanel layer_errors_panel(const LayerErrors& errors) {
  ChartPanel panel{.x = {.label = "layer", .whole = true},
                   .y = {.label = "squared error (log)", .scale = ChartScale::log}};
  std::vector<ChartSeries> lines;
  double least = std::numeric_limits<double>::infinity();
  for (const ErrorOf which : kAllErrors) {
    if (!errors.has(which)) continue;
    const ErrorBand& band = errors.of(which);
    const auto style = static_cast<int>(which);
    ChartSeries spread{.name = "", .mark = ChartMark::band, .style = style};
    ChartSeries line{.name = name_of(which), .mark = ChartMark::line_points, .style = style};
    line.open = style % 2 == 1;
    for (std::size_t i = 0; i < errors.layers.size(); ++i) {
      const double x = errors.layers[i];
      if (band.mean[i] > 0) least = std::min(least, band.mean[i]);
      spread.points.push_back({.x = x, .y = band.mean[i], .low = band.p10[i], .high = band.p90[i]});
      line.points.push_back({.x = x, .y = band.mean[i]});
    }
    panel.series.push_back(std::move(spread));
    lines.push_back(std::move(line));
  }
  // No band lies over a line.
  std::ranges::move(lines, std::back_inserter(panel.series));
  // A row that nothing was lost of must not press the means together: bands end at the edge.
  if (std::isfinite(least)) panel.y.least = std::pow(10.0, std::floor(std::log10(least)) - 1);
  return panel;
}

}  // namespace qaq
