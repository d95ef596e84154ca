#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parameters.h"

namespace qaq {

/// How an axis places numbers. A category axis has a place for each name.
enum class ChartScale { linear, log, category };
template <>
struct ChoiceNames<ChartScale> {
  static constexpr std::array<std::string_view, 3> names{"linear", "log", "category"};
};

/// How a series is drawn.
enum class ChartMark {
  points,
  line,         ///< through its points, in their order
  line_points,  ///< both
  dotted,       ///< the same as a dotted line: what limits the others
  steps,        ///< a histogram's outline: each point is the middle of a bin
  bars,         ///< stacked on the bars of the series before it; along x where y is a category
  boxes,        ///< a frame around the bars at its points: what is chosen
  rug,          ///< strokes at the bottom: of each point only x counts
  heat,         ///< coloured cells, one each point, of unit size; z is the colour
  rings,        ///< what is of note on a heat map: signs that leave the cell in sight
  band,         ///< what lies between low and high, through all points; y is not drawn
};
template <>
struct ChoiceNames<ChartMark> {
  static constexpr std::array<std::string_view, 11> names{
      "points", "line", "line_points", "dotted", "steps", "bars",
      "boxes",  "rug",  "heat",        "rings",  "band"};
};

/// What a straight line of reference keeps: its x, its y, or y = x.
enum class ChartLineKind { x, y, diagonal };
template <>
struct ChoiceNames<ChartLineKind> {
  static constexpr std::array<std::string_view, 3> names{"x", "y", "diagonal"};
};

struct ChartAxis {
  std::string label;
  std::string unit{};  ///< empty: none is written
  ChartScale scale = ChartScale::linear;
  std::optional<double> least{};  ///< where it begins; nothing: what the points need
  std::optional<double> most{};
  std::vector<std::string> names{};  ///< of a category axis, in order of their places 0, 1, ...;
                                     ///< in a file's chart, those that points do not name first
  std::optional<double> centre{};    ///< of colours: what is below and above it is told apart
  bool whole = false;  ///< it counts steps, layers or the like: nothing lies between two numbers
};

/// NaN where a point has no such number.
struct ChartPoint {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  double x = kNone, y = kNone;
  double low = kNone, high = kNone;  ///< the interval, along y, or along x where y is a category
  double z = kNone;                  ///< of a heat cell
};

/// The columns of a table that a series is made of. Empty: none.
struct ChartSource {
  std::string table;                    ///< an ExperimentTable's name
  std::string x{}, y{}, low{}, high{};  ///< of a heat map y names the rows, and all columns behind
                                        ///< that one are cells
  std::vector<std::string> category{};  ///< columns whose texts together name the place on the
                                        ///< category axis
  std::string label{};                  ///< texts beside the points
  std::vector<std::int64_t> rows{};     ///< from 0, in the order of drawing; empty: all
};

struct ChartSeries {
  std::string name;  ///< in the legend, once for all panels; empty: not there
  ChartMark mark = ChartMark::points;
  int style = 0;      ///< colour and sign: index into the categorical palette, or one beside it
  bool open = false;  ///< hollow signs and a broken line: the other of two of one colour
  double shift = 0;   ///< beside the place on the x axis (on the y axis where that has categories),
                      ///< so that intervals of several series do not cover each other
  ChartSource source{};
  std::vector<ChartPoint> points{};
  std::vector<std::string> labels{};  ///< of the points, or empty: above them, or in a column on
                                      ///< the right where y is a category
};

struct ChartLine {
  ChartLineKind kind = ChartLineKind::y;
  double at = 0;        ///< not of a diagonal
  std::string label{};  ///< in the legend, once for all panels
};

struct ChartPanel {
  std::string title{};
  ChartAxis x, y;
  ChartAxis z{};  ///< of heat cells
  std::vector<ChartSeries> series{};
  std::vector<ChartLine> lines{};
};

/// What a figure shows, without how it is painted. Its numbers are in the series' points; where it
/// belongs to an experiment they are named by their source instead, until the experiment's file is
/// read, so that a figure cannot show anything but the tables.
struct Chart {
  std::string title{}, subtitle{};
  int columns = 2;  ///< of panels, which go row by row
  std::vector<ChartPanel> panels{};
  std::vector<std::string> notes{};  ///< below the panels
};

/// Styles that mean the same in every chart. See palettes.json.
inline constexpr int kFlatStyle = 0, kQaqStyle = 1, kAuthorsStyle = 2, kPaperStyle = 7;
inline constexpr int kKeyStyle = 0, kValueStyle = 1;
inline constexpr int kComparedA = 0, kComparedB = 1;  ///< of two runs held against each other
/// Beside the categories: what is not of note, and what is.
inline constexpr int kPlainStyle = 8, kNotedStyle = 9;
inline constexpr int kChartStyles = 10;

}  // namespace qaq
