// What a picture keeps of a map: no cell vanishes, at any size and zoom.
#include "core/analysis/heatmap.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "core/base/parallel.h"

namespace qaq {
namespace {

constexpr float kAbsent = Heatmap::kAbsent, kImpossible = Heatmap::kImpossible;

Heatmap flat_map(std::int64_t rows, std::int64_t columns, float value, Reducer reducer) {
  Heatmap map;
  map.cells = NdArray<float, 2>({rows, columns}, value);
  map.reducer = reducer;
  return map;
}

CellRect whole(const Heatmap& map) {
  return {0, 0, static_cast<double>(map.columns()), static_cast<double>(map.rows())};
}

std::vector<float> line(const HeatmapTile& tile) {
  return {tile.pixels.span().begin(), tile.pixels.span().end()};
}

std::int64_t count(const HeatmapTile& tile, float value) {
  return std::count(tile.pixels.span().begin(), tile.pixels.span().end(), value);
}

TEST(Reduce, ALoneMaximumIsSeenAtEverySizeAndZoom) {
  std::mt19937 random(1);
  for (const auto& [rows, columns] : {std::pair(1, 1), {7, 13}, {97, 331}, {64, 4096}}) {
    for (int trial = 0; trial < 12; ++trial) {
      Heatmap map = flat_map(rows, columns, 1, Reducer::max);
      const auto row = static_cast<std::int64_t>(random() % static_cast<unsigned>(rows));
      const auto column = static_cast<std::int64_t>(random() % static_cast<unsigned>(columns));
      map.cells(row, column) = 9;
      for (const auto& [width, height] :
           {std::pair(1, 1), {2, 3}, {10, 10}, {97, 50}, {333, 200}, {1021, 401}}) {
        EXPECT_GE(count(reduce(map, whole(map), width, height), 9), 1);
        // Zoomed to a part that holds the cell, with borders between cells.
        const CellRect part{static_cast<double>(column) * 0.7, static_cast<double>(row) * 0.3,
                            static_cast<double>(column) + 0.4, static_cast<double>(row) + 1.9};
        EXPECT_GE(count(reduce(map, part, width, height), 9), 1)
            << rows << "x" << columns << " cell " << row << "," << column << " in " << width << "x"
            << height;
      }
    }
  }
}

TEST(Reduce, ALoneMinimumIsSeenWhereMinimumIsTheReducer) {
  Heatmap map = flat_map(90, 1000, 8, Reducer::min);
  map.cells(41, 777) = 1;
  for (const int size : {1, 5, 64, 100, 700}) {
    EXPECT_GE(count(reduce(map, whole(map), size, size), 1), 1) << size;
  }
}

TEST(Reduce, PixelsThatAreCellsAreTheCells) {
  Heatmap map = flat_map(3, 5, 0, Reducer::max);
  for (std::size_t i = 0; i < 15; ++i) map.cells.span()[i] = static_cast<float>(i);
  const HeatmapTile tile = reduce(map, whole(map), 5, 3);
  EXPECT_EQ(line(tile), (std::vector<float>{map.cells.span().begin(), map.cells.span().end()}));
  EXPECT_EQ(tile.cells_per_pixel_x, 1);
}

TEST(Reduce, AnEnlargedCellHasSharpBorders) {
  // 10 pixels a cell in steps that are no binary fraction: rounding must not widen a cell.
  Heatmap map = flat_map(1, 7, 1, Reducer::max);
  map.cells(0, 3) = 9;
  const HeatmapTile tile = reduce(map, whole(map), 70, 1);
  for (std::int64_t x = 0; x < 70; ++x) {
    EXPECT_EQ(tile.pixels(0, x), x >= 30 && x < 40 ? 9 : 1) << x;
  }
  EXPECT_NEAR(tile.cells_per_pixel_x, 0.1, 1e-12);
}

TEST(Reduce, EveryCellThatAPixelTouchesCounts) {
  Heatmap map = flat_map(1, 4, 0, Reducer::max);
  for (std::size_t i = 0; i < 4; ++i) map.cells.span()[i] = static_cast<float>(i + 1);
  // Pixels 0..1.33, 1.33..2.67, 2.67..4.
  EXPECT_EQ(line(reduce(map, whole(map), 3, 1)), (std::vector<float>{2, 3, 4}));
  map.reducer = Reducer::min;
  EXPECT_EQ(line(reduce(map, whole(map), 3, 1)), (std::vector<float>{1, 2, 3}));
  map.reducer = Reducer::mean;
  EXPECT_EQ(line(reduce(map, whole(map), 3, 1)), (std::vector<float>{1.5, 2.5, 3.5}));
}

TEST(Reduce, AValueBeatsAbsentAndAbsentBeatsImpossible) {
  for (const Reducer reducer : {Reducer::max, Reducer::min, Reducer::mean}) {
    Heatmap map = flat_map(1, 6, kImpossible, reducer);
    map.cells(0, 1) = kAbsent;
    map.cells(0, 3) = 5;
    map.cells(0, 4) = kAbsent;
    EXPECT_EQ(line(reduce(map, whole(map), 6, 1)),
              (std::vector<float>{kImpossible, kAbsent, kImpossible, 5, kAbsent, kImpossible}));
    EXPECT_EQ(line(reduce(map, whole(map), 3, 1)), (std::vector<float>{kAbsent, 5, kAbsent}));
    EXPECT_EQ(line(reduce(map, whole(map), 1, 1)), std::vector<float>{5});
  }
}

TEST(Reduce, MeansLeaveOutWhatIsNoValue) {
  Heatmap map = flat_map(2, 2, 4, Reducer::mean);
  map.cells(0, 0) = kAbsent;
  map.cells(1, 1) = 7;
  EXPECT_EQ(line(reduce(map, whole(map), 1, 1)), std::vector<float>{5});
}

TEST(Reduce, OutsideTheMapNothingCanBe) {
  const Heatmap map = flat_map(2, 2, 3, Reducer::max);
  const HeatmapTile tile = reduce(map, {-2, -1, 4, 3}, 6, 4);
  for (std::int64_t y = 0; y < 4; ++y) {
    for (std::int64_t x = 0; x < 6; ++x) {
      const bool inside = x >= 2 && x < 4 && y >= 1 && y < 3;
      EXPECT_EQ(tile.pixels(y, x), inside ? 3 : kImpossible) << x << "," << y;
    }
  }
  EXPECT_EQ(count(reduce(map, {50, 50, 60, 60}, 8, 8), kImpossible), 64);
}

TEST(Reduce, ThreadCountChangesNoPixel) {
  Heatmap map = flat_map(300, 700, 0, Reducer::mean);
  std::mt19937 random(2);
  for (float& cell : map.cells.span()) cell = static_cast<float>(random() % 1000);
  set_thread_count(1);
  const auto one = line(reduce(map, {3.3, 2.2, 655.5, 299}, 211, 97));
  for (const int n_threads : {2, 5}) {
    set_thread_count(n_threads);
    EXPECT_EQ(line(reduce(map, {3.3, 2.2, 655.5, 299}, 211, 97)), one);
  }
  set_thread_count(0);
}

}  // namespace
}  // namespace qaq
