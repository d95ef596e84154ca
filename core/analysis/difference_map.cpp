#include "core/analysis/difference_map.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qaq {
namespace {

float difference(float a, float b) {
  if (a == Heatmap::kImpossible || b == Heatmap::kImpossible) return Heatmap::kImpossible;
  if (Heatmap::is_evicted(a) || Heatmap::is_evicted(b)) return Heatmap::kEvicted;
  if (!Heatmap::is_value(a) || !Heatmap::is_value(b)) return Heatmap::kAbsent;
  return b - a;
}

}  // namespace

Heatmap difference_map(const Heatmap& a, const Heatmap& b) {
  const std::int64_t rows = std::min(a.rows(), b.rows());
  const std::int64_t columns = std::min(a.columns(), b.columns());
  NdArray<float, 2> cells({std::max(a.rows(), b.rows()), std::max(a.columns(), b.columns())},
                          Heatmap::kImpossible);
  NdArray<std::uint8_t, 2> evicted(cells.shape());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      cells(row, column) = difference(a.at(row, column), b.at(row, column));
      evicted(row, column) = Heatmap::is_evicted(cells(row, column));
    }
  }
  Heatmap map(std::move(cells));
  if (a.has_evicted() || b.has_evicted()) {
    map.mark_evicted(std::make_shared<const NdArray<std::uint8_t, 2>>(std::move(evicted)));
  }
  return map;
}

DifferenceCounts difference_counts(const Heatmap& difference) {
  DifferenceCounts out;
  for (std::int64_t row = 0; row < difference.rows(); ++row) {
    for (std::int64_t column = 0; column < difference.columns(); ++column) {
      const float cell = difference.at(row, column);
      if (!Heatmap::is_value(cell)) continue;
      out.largest = std::max(out.largest, static_cast<double>(std::abs(cell)));
      ++(cell > 0 ? out.higher : cell < 0 ? out.lower : out.equal);
    }
  }
  return out;
}

Table map_pair_table(const MapPair& maps) {
  Table out;
  const bool layered = maps.n_kv_heads > 0;
  out.columns.push_back({maps.row, ColumnKind::integer});
  if (layered) out.columns.push_back({"kv_head", ColumnKind::integer});
  out.columns.push_back({"token", ColumnKind::integer});
  for (const char* name : {"a", "b", "difference"}) {
    out.columns.push_back({name, ColumnKind::real});
  }
  const auto cell_of = [](const SharedHeatmap& map, std::int64_t row, std::int64_t column) -> Cell {
    if (!map || row >= map->rows() || column >= map->columns()) return {};
    const float value = map->at(row, column);
    return Heatmap::is_value(value) ? Cell(value) : Cell();
  };
  const auto each = [maps, cell_of](const auto& visit) {
    const std::int64_t rows = std::max(maps.a->rows(), maps.b->rows());
    const std::int64_t columns = std::max(maps.a->columns(), maps.b->columns());
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        const Cell a = cell_of(maps.a, row, column), b = cell_of(maps.b, row, column);
        if (a.index() != 0 || b.index() != 0) visit(row, column, a, b);
      }
    }
  };
  each([&](auto, auto, const auto&, const auto&) { ++out.n_rows; });
  out.for_each_row = [maps, each, cell_of, layered](const RowSink& sink) {
    std::vector<Cell> cells;
    each([&](std::int64_t row, std::int64_t column, const Cell& a, const Cell& b) {
      cells.clear();
      if (layered) {
        cells.emplace_back(row / maps.n_kv_heads);
        cells.emplace_back(row % maps.n_kv_heads);
      } else {
        cells.emplace_back(row);
      }
      cells.emplace_back(column);
      cells.push_back(a);
      cells.push_back(b);
      cells.push_back(cell_of(maps.difference, row, column));
      sink(cells);
    });
  };
  return out;
}

}  // namespace qaq
