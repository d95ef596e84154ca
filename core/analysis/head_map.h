#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/analysis/chart.h"
#include "core/analysis/table.h"

namespace qaq {

/// A number of every layer and KV head of a model, as a heat map and the table behind it.
struct HeadMap {
  std::string table;  ///< the name that the chart's document gives it
  std::int64_t n_layers = 0, n_heads = 0;
  ChartAxis colors{};
  std::function<double(std::int64_t layer, std::int64_t head)> at;  ///< not finite: no cell
};

/// A row a head: "head", "layer_0", "layer_1", ...
Table head_map_table(const HeadMap& map);
/// Heads over layers.
ChartPanel head_map_panel(const HeadMap& map, const std::string& title);
/// Rings at the rows of a table that has "layer" and "head".
ChartSeries head_map_rings(const std::string& table, const std::string& name);

}  // namespace qaq
