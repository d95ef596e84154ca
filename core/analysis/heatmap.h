#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/half.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// How cells that share a pixel become one: the largest, the smallest, the mean, or the one
/// farthest from 0, with its sign; of two as far the positive one.
enum class Reducer { max, min, mean, farthest };
constexpr std::array kAllReducers{Reducer::max, Reducer::min, Reducer::mean, Reducer::farthest};
constexpr std::size_t kReducers = kAllReducers.size();
/// "max", "min", "mean", "farthest".
std::string_view name_of(Reducer reducer);

/// A rectangle of cells in cell units; may end between cells and reach outside the map.
struct CellRect {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  bool operator==(const CellRect&) const = default;
};

class HeatmapPyramids;

/// A matrix of cells to draw, of any of four types, never converted: row 0 is at the top. Cells
/// that are absent (not captured), cells that cannot exist (the future) and cells that a policy has
/// evicted are told apart from values:
///
/// * uint8, uint16: the largest number of the type is absent.
/// * float16, float32: what is not finite is no value; minus infinity is impossible, the rest
///   absent.
/// * A row may be limited to the columns that can exist: what lies outside is impossible, whatever
///   its memory holds, and is never read.
/// * Of the absent ones those that are marked so are evicted.
class Heatmap {
 public:
  // What at() and pixels say where there is no value.
  static constexpr float kAbsent = std::numeric_limits<float>::infinity();       ///< hatched
  static constexpr float kImpossible = -std::numeric_limits<float>::infinity();  ///< left blank
  static constexpr float kEvicted = std::numeric_limits<float>::quiet_NaN();     ///< crossed
  static bool is_value(float cell) { return std::isfinite(cell); }
  static bool is_evicted(float cell) { return std::isnan(cell); }
  /// The code of absent cells in maps of integers.
  template <class T>
  static constexpr T kAbsentCode = std::numeric_limits<T>::max();

  /// (rows, columns)
  using Cells = std::variant<NdView<const std::uint8_t, 2>, NdView<const std::uint16_t, 2>,
                             NdView<const Half, 2>, NdView<const float, 2>>;

  template <class T>
  explicit Heatmap(NdArray<T, 2> cells)
      : Heatmap(std::make_shared<const NdArray<T, 2>>(std::move(cells))) {}
  template <class T>
  explicit Heatmap(const SharedArray<T, 2>& cells) : Heatmap(cells->view(), cells) {}
  /// Of memory that somebody else owns; `owner` keeps it alive. It must not change any more.
  Heatmap(Cells cells, std::shared_ptr<const void> owner);
  Heatmap(Heatmap&& other) noexcept;
  Heatmap& operator=(Heatmap&& other) noexcept;
  ~Heatmap();

  /// Columns [begin, end) of a row.
  struct Columns {
    std::int32_t begin = 0;
    std::int32_t end = 0;
  };
  /// Of `row` no other columns can exist. Before the map is shared.
  void limit_row(std::int64_t row, const Columns& possible);

  /// `evicted` (rows, columns): 1 where an absent cell is one that was evicted. Before the map is
  /// shared.
  void mark_evicted(SharedArray<std::uint8_t, 2> evicted);

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  CellRect area() const {
    return {0, 0, static_cast<double>(columns_), static_cast<double>(rows_)};
  }
  Columns possible(std::int64_t row) const {
    if (possible_.empty()) return {0, static_cast<std::int32_t>(columns_)};
    return possible_[static_cast<std::size_t>(row)];
  }
  const Cells& cells() const { return cells_; }
  bool is_marked(std::int64_t row, std::int64_t column) const {
    return evicted_ && (*evicted_)(row, column) != 0;
  }
  bool has_evicted() const { return evicted_ != nullptr; }
  /// A value, kAbsent, kImpossible or kEvicted.
  float at(std::int64_t row, std::int64_t column) const;
  /// Rows merged in advance, made at first need; safe to use from several threads.
  HeatmapPyramids& pyramids() const { return *pyramids_; }

 private:
  Cells cells_;
  std::shared_ptr<const void> owner_;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::vector<Columns> possible_;         ///< of each row; empty: all of every row
  SharedArray<std::uint8_t, 2> evicted_;  ///< null: none is
  std::unique_ptr<HeatmapPyramids> pyramids_;
};

/// Of the cells that are a value or evicted.
double evicted_share(const Heatmap& map);

using SharedHeatmap = std::shared_ptr<const Heatmap>;

}  // namespace qaq
