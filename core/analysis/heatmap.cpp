#include "core/analysis/heatmap.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/analysis/heatmap_cells.h"
#include "core/analysis/heatmap_pyramid.h"

namespace qaq {

std::string_view name_of(Reducer reducer) {
  switch (reducer) {
    case Reducer::max:
      return "max";
    case Reducer::min:
      return "min";
    case Reducer::mean:
      return "mean";
    case Reducer::farthest:
      return "farthest";
  }
  return "";
}

Heatmap::Heatmap(Cells cells, std::shared_ptr<const void> owner)
    : cells_(cells), owner_(std::move(owner)), pyramids_(std::make_unique<HeatmapPyramids>()) {
  std::visit(
      [this](const auto& view) {
        rows_ = view.shape(0);
        columns_ = view.shape(1);
      },
      cells_);
}

Heatmap::Heatmap(Heatmap&&) noexcept = default;
Heatmap& Heatmap::operator=(Heatmap&&) noexcept = default;
Heatmap::~Heatmap() = default;

void Heatmap::limit_row(std::int64_t row, const Columns& possible) {
  assert(row >= 0 && row < rows_ && possible.begin >= 0 && possible.end <= columns_);
  if (possible_.empty()) {
    possible_.assign(static_cast<std::size_t>(rows_), {0, static_cast<std::int32_t>(columns_)});
  }
  possible_[static_cast<std::size_t>(row)] = possible;
}

void Heatmap::mark_evicted(SharedArray<std::uint8_t, 2> evicted) {
  assert(!evicted || evicted->shape() == (Shape<2>{rows_, columns_}));
  evicted_ = std::move(evicted);
}

float Heatmap::at(std::int64_t row, std::int64_t column) const {
  const Columns& possible = this->possible(row);
  if (column < possible.begin || column >= possible.end) return kImpossible;
  const float cell =
      std::visit([&](const auto& view) { return value_or_code(view(row, column)); }, cells_);
  return cell == kAbsent && is_marked(row, column) ? kEvicted : cell;
}

double evicted_share(const Heatmap& map) {
  if (!map.has_evicted()) return 0;
  std::int64_t evicted = 0, all = 0;
  for (std::int64_t row = 0; row < map.rows(); ++row) {
    const auto [begin, end] = map.possible(row);
    for (std::int64_t column = begin; column < end; ++column) {
      const float cell = map.at(row, column);
      evicted += Heatmap::is_evicted(cell) ? 1 : 0;
      all += Heatmap::is_evicted(cell) || Heatmap::is_value(cell) ? 1 : 0;
    }
  }
  return all > 0 ? static_cast<double>(evicted) / static_cast<double>(all) : 0;
}

}  // namespace qaq
