// What a map holds, and what a picture keeps of it: no cell vanishes, at any size and zoom.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <thread>

#include "core/analysis/heatmap_tile.h"
#include "core/base/parallel.h"

namespace qaq {
namespace {

constexpr float kAbsent = Heatmap::kAbsent, kImpossible = Heatmap::kImpossible;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

NdArray<float, 2> flat(std::int64_t rows, std::int64_t columns, float value) {
  return NdArray<float, 2>({rows, columns}, value);
}

HeatmapTile whole(const Heatmap& map, Reducer reducer, std::int64_t width, std::int64_t height) {
  return reduce(map, {reducer, map.area(), width, height});
}

std::vector<float> line(const HeatmapTile& tile) {
  return {tile.pixels.span().begin(), tile.pixels.span().end()};
}

std::int64_t count(const HeatmapTile& tile, float value) {
  return std::count(tile.pixels.span().begin(), tile.pixels.span().end(), value);
}

TEST(Heatmap, EachTypeSaysItsOwnAbsence) {
  NdArray<std::uint8_t, 2> bytes({1, 3});
  bytes.span()[0] = 0;
  bytes.span()[1] = 254;
  bytes.span()[2] = 255;
  const Heatmap small(std::move(bytes));
  EXPECT_EQ(small.at(0, 0), 0);
  EXPECT_EQ(small.at(0, 1), 254);
  EXPECT_EQ(small.at(0, 2), kAbsent);

  NdArray<std::uint16_t, 2> words({1, 2}, 65534);
  words.span()[1] = 65535;
  const Heatmap wide(std::move(words));
  EXPECT_EQ(wide.at(0, 0), 65534);
  EXPECT_EQ(wide.at(0, 1), kAbsent);

  NdArray<Half, 2> halves({1, 4});
  const std::uint16_t bits[] = {half_from_float(-1.5f), 0x7e00, 0x7c00, 0xfc00};
  for (std::size_t i = 0; i < 4; ++i) halves.span()[i].bits = bits[i];
  const Heatmap half(std::move(halves));
  EXPECT_EQ(half.at(0, 0), -1.5f);
  EXPECT_EQ(half.at(0, 1), kAbsent) << "NaN";
  EXPECT_EQ(half.at(0, 2), kAbsent) << "infinity";
  EXPECT_EQ(half.at(0, 3), kImpossible);

  NdArray<float, 2> floats({1, 3}, 2.5f);
  floats.span()[1] = kNan;
  floats.span()[2] = kImpossible;
  const Heatmap single(std::move(floats));
  EXPECT_EQ(single.at(0, 0), 2.5f);
  EXPECT_EQ(single.at(0, 1), kAbsent);
  EXPECT_EQ(single.at(0, 2), kImpossible);
}

TEST(Heatmap, SharesMemoryThatSomebodyElseOwns) {
  auto owner = std::make_shared<NdArray<float, 2>>(flat(2, 3, 1));
  (*owner)(1, 2) = 7;
  const std::weak_ptr<void> watched = owner;
  {
    const Heatmap map(NdView<const float, 2>(owner->view()), owner);
    const float* const data = owner->data();
    owner.reset();
    EXPECT_FALSE(watched.expired()) << "the map keeps it alive";
    EXPECT_EQ(map.at(1, 2), 7);
    EXPECT_EQ((std::get<NdView<const float, 2>>(map.cells()).data()), data) << "not copied";
  }
  EXPECT_TRUE(watched.expired());
}

TEST(Heatmap, ALimitedRowHasNothingOutside) {
  Heatmap map(flat(2, 5, 3));
  map.limit_row(1, {1, 3});
  EXPECT_EQ(map.at(0, 4), 3);
  const std::vector<float> row{kImpossible, 3, 3, kImpossible, kImpossible};
  for (std::int64_t column = 0; column < 5; ++column) {
    EXPECT_EQ(map.at(1, column), row[static_cast<std::size_t>(column)]);
  }
}

TEST(Reduce, ALoneMaximumIsSeenAtEverySizeAndZoom) {
  std::mt19937 random(1);
  for (const auto& [rows, columns] : {std::pair(1, 1), {7, 13}, {97, 331}, {64, 4096}}) {
    for (int trial = 0; trial < 12; ++trial) {
      const auto row = static_cast<std::int64_t>(random() % static_cast<unsigned>(rows));
      const auto column = static_cast<std::int64_t>(random() % static_cast<unsigned>(columns));
      NdArray<float, 2> cells = flat(rows, columns, 1);
      cells(row, column) = 9;
      const Heatmap map(std::move(cells));
      for (const auto& [width, height] :
           {std::pair(1, 1), {2, 3}, {10, 10}, {97, 50}, {333, 200}, {1021, 401}}) {
        EXPECT_GE(count(whole(map, Reducer::max, width, height), 9), 1);
        // Zoomed to a part that holds the cell, with borders between cells.
        const CellRect part{static_cast<double>(column) * 0.7, static_cast<double>(row) * 0.3,
                            static_cast<double>(column) + 0.4, static_cast<double>(row) + 1.9};
        EXPECT_GE(count(reduce(map, {Reducer::max, part, width, height}), 9), 1)
            << rows << "x" << columns << " cell " << row << "," << column << " in " << width << "x"
            << height;
      }
    }
  }
}

TEST(Reduce, ALoneMaximumIsSeenWhereverTheMapIsPannedTo) {
  NdArray<float, 2> cells = flat(300, 900, 1);
  cells(150, 450) = 9;
  const Heatmap map(std::move(cells));
  for (double shift = -299.7; shift < 300; shift += 7.3) {
    const CellRect area{300 + shift, 100 + shift / 3, 600 + shift, 200 + shift / 3};
    const bool in_sight =
        area.left < 451 && area.right > 450 && area.top < 151 && area.bottom > 150;
    EXPECT_EQ(count(reduce(map, {Reducer::max, area, 71, 37}), 9) > 0, in_sight) << shift;
  }
}

TEST(Reduce, ALoneCellIsSeenWithItsSignWhereTheFarthestIsTheReducer) {
  for (const float planted : {-9.0f, 9.0f}) {
    NdArray<float, 2> cells = flat(97, 331, 0);
    cells(60, 200) = planted;
    cells(60, 201) = -planted / 2;
    const Heatmap map(std::move(cells));
    for (const std::int64_t size : {1, 2, 10, 50, 97, 400}) {
      EXPECT_GE(count(whole(map, Reducer::farthest, size, size), planted), 1) << size;
    }
  }
  NdArray<float, 2> even = flat(1, 3, -0.0f);
  EXPECT_EQ(line(whole(Heatmap(even.copy()), Reducer::farthest, 1, 1)), std::vector<float>{0})
      << "a value, too";
  even(0, 0) = -2;
  even(0, 2) = 2;
  EXPECT_EQ(line(whole(Heatmap(std::move(even)), Reducer::farthest, 1, 1)), std::vector<float>{2});
}

TEST(Reduce, ALoneMinimumIsSeenWhereMinimumIsTheReducer) {
  NdArray<std::uint8_t, 2> cells({90, 1000}, 8);
  cells(41, 777) = 1;
  const Heatmap map(std::move(cells));
  for (const int size : {1, 5, 64, 100, 700}) {
    EXPECT_GE(count(whole(map, Reducer::min, size, size), 1), 1) << size;
  }
}

TEST(Reduce, PixelsThatAreCellsAreTheCells) {
  NdArray<float, 2> cells = flat(3, 5, 0);
  for (std::size_t i = 0; i < 15; ++i) cells.span()[i] = static_cast<float>(i);
  const std::vector<float> expected(cells.span().begin(), cells.span().end());
  const HeatmapTile tile = whole(Heatmap(std::move(cells)), Reducer::max, 5, 3);
  EXPECT_EQ(line(tile), expected);
  EXPECT_EQ(tile.cells_per_pixel_x, 1);
}

TEST(Reduce, AnEnlargedCellHasSharpBorders) {
  // 10 pixels a cell in steps that are no binary fraction: rounding must not widen a cell.
  NdArray<float, 2> cells = flat(1, 7, 1);
  cells(0, 3) = 9;
  const HeatmapTile tile = whole(Heatmap(std::move(cells)), Reducer::max, 70, 1);
  for (std::int64_t x = 0; x < 70; ++x) {
    EXPECT_EQ(tile.pixels(0, x), x >= 30 && x < 40 ? 9 : 1) << x;
  }
  EXPECT_NEAR(tile.cells_per_pixel_x, 0.1, 1e-12);
}

TEST(Reduce, EveryCellThatAPixelTouchesCounts) {
  NdArray<float, 2> cells = flat(1, 4, 0);
  for (std::size_t i = 0; i < 4; ++i) cells.span()[i] = static_cast<float>(i + 1);
  const Heatmap map(std::move(cells));
  // Pixels 0..1.33, 1.33..2.67, 2.67..4.
  EXPECT_EQ(line(whole(map, Reducer::max, 3, 1)), (std::vector<float>{2, 3, 4}));
  EXPECT_EQ(line(whole(map, Reducer::min, 3, 1)), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(line(whole(map, Reducer::mean, 3, 1)), (std::vector<float>{1.5, 2.5, 3.5}));
}

TEST(Reduce, AValueBeatsAbsentAndAbsentBeatsImpossible) {
  for (const Reducer reducer : kAllReducers) {
    NdArray<float, 2> cells = flat(1, 6, kImpossible);
    cells(0, 1) = kNan;
    cells(0, 3) = 5;
    cells(0, 4) = kAbsent;
    const Heatmap map(std::move(cells));
    EXPECT_EQ(line(whole(map, reducer, 6, 1)),
              (std::vector<float>{kImpossible, kAbsent, kImpossible, 5, kAbsent, kImpossible}));
    EXPECT_EQ(line(whole(map, reducer, 3, 1)), (std::vector<float>{kAbsent, 5, kAbsent}));
    EXPECT_EQ(line(whole(map, reducer, 1, 1)), std::vector<float>{5});
  }
}

TEST(Reduce, LimitsOfRowsAreImpossibleWhateverLiesBehindThem) {
  // Below the diagonal: values; on it: absent; above it: large numbers that must not be read.
  NdArray<std::uint8_t, 2> cells({3, 3}, 200);
  for (std::int64_t r = 0; r < 3; ++r) {
    for (std::int64_t c = 0; c < r; ++c) cells(r, c) = static_cast<std::uint8_t>(r);
    cells(r, r) = Heatmap::kAbsentCode<std::uint8_t>;
  }
  Heatmap map(std::move(cells));
  for (std::int32_t r = 0; r < 3; ++r) map.limit_row(r, {0, r + 1});
  EXPECT_EQ(line(whole(map, Reducer::max, 3, 3)),
            (std::vector<float>{kAbsent, kImpossible, kImpossible, 1, kAbsent, kImpossible, 2, 2,
                                kAbsent}));
  EXPECT_EQ(line(whole(map, Reducer::max, 3, 1)), (std::vector<float>{2, 2, kAbsent}));
  EXPECT_EQ(line(whole(map, Reducer::min, 1, 3)), (std::vector<float>{kAbsent, 1, 2}));
}

TEST(Reduce, MeansLeaveOutWhatIsNoValue) {
  NdArray<float, 2> cells = flat(2, 2, 4);
  cells(0, 0) = kNan;
  cells(1, 1) = 7;
  EXPECT_EQ(line(whole(Heatmap(std::move(cells)), Reducer::mean, 1, 1)), std::vector<float>{5});
}

TEST(Reduce, OutsideTheMapNothingCanBe) {
  const Heatmap map(flat(2, 2, 3));
  const HeatmapTile tile = reduce(map, {Reducer::max, {-2, -1, 4, 3}, 6, 4});
  for (std::int64_t y = 0; y < 4; ++y) {
    for (std::int64_t x = 0; x < 6; ++x) {
      const bool inside = x >= 2 && x < 4 && y >= 1 && y < 3;
      EXPECT_EQ(tile.pixels(y, x), inside ? 3 : kImpossible) << x << "," << y;
    }
  }
  EXPECT_EQ(count(reduce(map, {Reducer::max, {50, 50, 60, 60}, 8, 8}), kImpossible), 64);
}

// Cells of every type with absent ones between, rows cut at both ends.
template <class T>
Heatmap random_map(std::int64_t rows, std::int64_t columns, std::mt19937& random) {
  NdArray<T, 2> cells({rows, columns});
  for (T& cell : cells.span()) {
    const bool absent = random() % 5 == 0;
    if constexpr (std::is_same_v<T, float>) {
      const float value = static_cast<float>(random() % 2001) / 8 - 125;
      cell = absent ? (random() % 2 == 0 ? kNan : kImpossible) : value;
    } else if constexpr (std::is_same_v<T, Half>) {
      // Any finite number, subnormal ones too.
      const auto bits = static_cast<std::uint16_t>(random());
      cell.bits = absent ? 0x7e01 : (bits & 0x7c00) == 0x7c00 ? bits & 0x83ff : bits;
    } else {
      cell = absent ? Heatmap::kAbsentCode<T> : static_cast<T>(random());
    }
  }
  Heatmap map(std::move(cells));
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto n = static_cast<std::int32_t>(columns);
    const auto a = static_cast<std::int32_t>(random() % (columns + 1));
    if (row % 3 != 0)
      map.limit_row(row, row % 3 == 1 ? Heatmap::Columns{0, a} : Heatmap::Columns{a, n});
  }
  return map;
}

// The definition, cell by cell.
float pixel_by_definition(const Heatmap& map, Reducer reducer, const CellRect& pixel) {
  double sum = 0, largest = -1e300, smallest = 1e300, farthest = 0;
  int n = 0;
  bool absent = false;
  for (std::int64_t row = 0; row < map.rows(); ++row) {
    for (std::int64_t column = 0; column < map.columns(); ++column) {
      const auto r = static_cast<double>(row), c = static_cast<double>(column);
      if (r + 1 <= pixel.top + 1e-6 || r >= pixel.bottom - 1e-6) continue;
      if (c + 1 <= pixel.left + 1e-6 || c >= pixel.right - 1e-6) continue;
      const float cell = map.at(row, column);
      absent |= cell == kAbsent;
      if (!Heatmap::is_value(cell)) continue;
      ++n;
      sum += cell;
      const double was = std::abs(farthest), is = std::abs(double{cell});
      if (is > was || (is == was && cell > 0)) farthest = cell;
      largest = std::max<double>(largest, cell);
      smallest = std::min<double>(smallest, cell);
    }
  }
  if (n == 0) return absent ? kAbsent : kImpossible;
  return static_cast<float>(reducer == Reducer::max        ? largest
                            : reducer == Reducer::min      ? smallest
                            : reducer == Reducer::farthest ? farthest
                                                           : sum / n);
}

template <class T>
class ReduceTypes : public testing::Test {};
using Types = testing::Types<std::uint8_t, std::uint16_t, Half, float>;
TYPED_TEST_SUITE(ReduceTypes, Types);

TYPED_TEST(ReduceTypes, IsItsDefinitionWithAndWithoutThePyramid) {
  std::mt19937 random(3);
  const auto uniform = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random() % 100000) / 1e5;
  };
  for (int trial = 0; trial < 60; ++trial) {
    const std::int64_t rows = 1 + random() % 90, columns = 1 + random() % 60;
    const Heatmap map = random_map<TypeParam>(rows, columns, random);
    const double left = uniform(-3, static_cast<double>(columns)),
                 top = uniform(-3, static_cast<double>(rows));
    TileSpec spec{.area = {left, top, left + uniform(0.5, 70), top + uniform(0.5, 100)},
                  .width = static_cast<std::int64_t>(1 + random() % 9),
                  .height = static_cast<std::int64_t>(1 + random() % 7)};
    for (const Reducer reducer : kAllReducers) {
      spec.reducer = reducer;
      const HeatmapTile direct = reduce(map, spec, Reading::cells);
      const HeatmapTile merged = reduce(map, spec, Reading::pyramid);
      for (std::int64_t y = 0; y < spec.height; ++y) {
        for (std::int64_t x = 0; x < spec.width; ++x) {
          const CellRect& a = spec.area;
          const double w = direct.cells_per_pixel_x, h = direct.cells_per_pixel_y;
          const auto px = static_cast<double>(x), py = static_cast<double>(y);
          const float expected = pixel_by_definition(
              map, reducer,
              {a.left + px * w, a.top + py * h, a.left + (px + 1) * w, a.top + (py + 1) * h});
          const float got = direct.pixels(y, x), by_pyramid = merged.pixels(y, x);
          if (reducer == Reducer::mean && Heatmap::is_value(expected)) {
            ASSERT_NEAR(got, expected, 1e-6 * std::max(1.0f, std::abs(expected)));
            ASSERT_NEAR(by_pyramid, got, 1e-6 * std::max(1.0f, std::abs(got)));
          } else {
            ASSERT_EQ(got, expected) << name_of(reducer) << " trial " << trial;
            ASSERT_EQ(by_pyramid, got) << name_of(reducer) << " trial " << trial;
          }
        }
      }
    }
  }
}

TYPED_TEST(ReduceTypes, ManyColumnsAPixelAreReducedAsFew) {
  // Pixels of up to 200 columns, against the map cut into single columns.
  std::mt19937 random(4);
  const Heatmap map = random_map<TypeParam>(3, 700, random);
  for (const double columns_a_pixel : {1.0, 2.0, 2.5, 3.0, 4.7, 8.0, 9.1, 33.3, 64.0, 200.0}) {
    const auto width = static_cast<std::int64_t>(700 / columns_a_pixel);
    const TileSpec spec{.reducer = Reducer::max,
                        .area = {-0.3, 0, -0.3 + columns_a_pixel * static_cast<double>(width), 3},
                        .width = width,
                        .height = 3};
    const HeatmapTile tile = reduce(map, spec);
    for (std::int64_t x = 0; x < width; ++x) {
      const double from = -0.3 + columns_a_pixel * static_cast<double>(x);
      ASSERT_EQ(tile.pixels(1, x),
                pixel_by_definition(map, Reducer::max, {from, 1, from + columns_a_pixel, 2}))
          << columns_a_pixel << " " << x;
    }
  }
}

TEST(Reduce, ALargeMapThatIsAskedForAgainIsTheSame) {
  NdArray<float, 2> cells = flat(2100, 1000, 1);
  cells(1033, 501) = 9;
  const Heatmap map(std::move(cells));
  const auto first = line(whole(map, Reducer::max, 120, 100));
  EXPECT_EQ(std::count(first.begin(), first.end(), 9), 1);
  EXPECT_EQ(line(whole(map, Reducer::max, 120, 100)), first) << "by the pyramid";
  EXPECT_EQ(line(whole(map, Reducer::max, 120, 100)), first);
}

TEST(Reduce, SeveralThreadsMayAskForThePyramidAtOnce) {
  std::mt19937 random(6);
  const Heatmap map = random_map<float>(400, 100, random);
  const TileSpec spec{Reducer::max, map.area(), 30, 20};
  const auto expected = line(reduce(map, spec, Reading::cells));
  std::vector<std::vector<float>> got(4);
  {
    std::vector<std::jthread> threads;
    for (auto& pixels : got) {
      threads.emplace_back([&] { pixels = line(reduce(map, spec, Reading::pyramid)); });
    }
  }
  for (const auto& pixels : got) EXPECT_EQ(pixels, expected);
}

TEST(Reduce, ThreadCountChangesNoPixel) {
  NdArray<float, 2> cells = flat(300, 700, 0);
  std::mt19937 random(2);
  for (float& cell : cells.span()) cell = static_cast<float>(random() % 1000);
  const Heatmap map(std::move(cells));
  const TileSpec spec{Reducer::mean, {3.3, 2.2, 655.5, 299}, 211, 97};
  set_thread_count(1);
  const auto one = line(reduce(map, spec));
  for (const int n_threads : {2, 5}) {
    set_thread_count(n_threads);
    EXPECT_EQ(line(reduce(map, spec)), one);
  }
  set_thread_count(0);
}

}  // namespace
}  // namespace qaq
