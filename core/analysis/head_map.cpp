#include "core/analysis/head_map.h"

#include <utility>
#include <vector>

#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {

Table head_map_table(const HeadMap& map) {
  std::vector<Column> columns{{.name = "head"}};
  for (std::int64_t layer = 0; layer < map.n_layers; ++layer) {
    columns.push_back({cat("layer_", layer), ColumnKind::real, map.colors.unit});
  }
  std::vector<std::vector<Cell>> rows;
  for (std::int64_t head = 0; head < map.n_heads; ++head) {
    rows.push_back({head});
    for (std::int64_t layer = 0; layer < map.n_layers; ++layer) {
      rows.back().push_back(real_cell(map.at(layer, head)));
    }
  }
  return table_of(std::move(columns), std::move(rows));
}

ChartPanel head_map_panel(const HeadMap& map, const std::string& title) {
  return {.title = title,
          .x = {.label = "layer", .whole = true},
          .y = {.label = "KV head", .whole = true},
          .z = map.colors,
          .series = {
              {.name = "", .mark = ChartMark::heat, .source = {.table = map.table, .y = "head"}}}};
}

ChartSeries head_map_rings(const std::string& table, const std::string& name) {
  return {.name = name,
          .mark = ChartMark::rings,
          .source = {.table = table, .x = "layer", .y = "head"}};
}

}  // namespace qaq
