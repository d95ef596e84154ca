#include "data/results/experiment_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/files/whole_file.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCure = "name a NAME.json that `qaq experiment` wrote";

// A value of the document and where it stands, for what is wrong with it.
struct Node {
  const Json* json;
  std::string place;
  const std::string* file;

  [[noreturn]] void refuse(const std::string& what) const {
    refuse_input({.file = *file, .place = place, .what = what, .cure = kCure});
  }
  bool has(const char* key) const { return json->is_object() && json->contains(key); }
  Node at(const char* key) const {
    if (!has(key)) Node{json, place + "/" + key, file}.refuse("is missing");
    return {&(*json)[key], place + "/" + key, file};
  }
  std::vector<Node> list() const {
    if (!json->is_array()) refuse("is no list");
    std::vector<Node> out;
    for (std::size_t i = 0; i < json->size(); ++i)
      out.push_back({&(*json)[i], cat(place, "/", i), file});
    return out;
  }
  std::string text() const {
    if (!json->is_string()) refuse("is no text");
    return json->get<std::string>();
  }
  double number() const {
    if (!json->is_number()) refuse("is no number");
    const double value = json->get<double>();
    if (!std::isfinite(value)) refuse("is no finite number");
    return value;
  }
  std::int64_t integer(std::int64_t least, std::int64_t most) const {
    if (!json->is_number_integer() || json->is_number_float()) refuse("is no whole number");
    const bool beyond =
        json->is_number_unsigned() && json->get<std::uint64_t>() > static_cast<std::uint64_t>(most);
    if (beyond || json->get<std::int64_t>() < least || json->get<std::int64_t>() > most) {
      refuse(cat("is not between ", least, " and ", most));
    }
    return json->get<std::int64_t>();
  }
  bool truth() const {
    if (!json->is_boolean()) refuse("is neither true nor false");
    return json->get<bool>();
  }
  template <class Enum>
  Enum choice() const {
    const std::string word = text();
    const auto& names = ChoiceNames<Enum>::names;
    const auto found = std::ranges::find(names, word);
    if (found == names.end()) refuse(cat("'", word, "' is not known"));
    return static_cast<Enum>(found - names.begin());
  }
};

std::string text_or_none(const Node& node, const char* key) {
  return node.has(key) ? node.at(key).text() : std::string();
}

// A cell's number, if it has one.
std::optional<double> number_of(const Json& cell) {
  if (!cell.is_number()) return {};
  return cell.get<double>();
}

class TableReader {
 public:
  explicit TableReader(const Node& table) : table_(table), rows_(table.at("rows").list()) {
    for (const Node& column : table.at("columns").list())
      names_.push_back(column.at("name").text());
    for (const Node& row : rows_) {
      if (row.list().size() != names_.size()) row.refuse("has not a cell for every column");
    }
  }

  std::size_t column(const Node& name) const {
    const auto found = std::ranges::find(names_, name.text());
    if (found == names_.end()) name.refuse(cat("the table has no column '", name.text(), "'"));
    return static_cast<std::size_t>(found - names_.begin());
  }
  std::size_t n_columns() const { return names_.size(); }
  const Json& cell(std::int64_t row, std::size_t column) const {
    return (*rows_[static_cast<std::size_t>(row)].json)[column];
  }
  // Those that a series names, or all.
  std::vector<std::int64_t> rows_of(const Node& series) const {
    std::vector<std::int64_t> out;
    if (series.has("rows")) {
      for (const Node& row : series.at("rows").list()) {
        out.push_back(row.integer(0, std::ssize(rows_) - 1));
      }
    } else {
      for (std::int64_t row = 0; row < std::ssize(rows_); ++row) out.push_back(row);
    }
    return out;
  }

 private:
  Node table_;
  std::vector<Node> rows_;
  std::vector<std::string> names_;
};

std::string cell_text(const Json& cell) {
  return cell.is_string() ? cell.get<std::string>() : cell.dump();
}

// The place of a row on a category axis: that of the texts' first appearance.
double place_of(const TableReader& table, std::int64_t row, const std::vector<std::size_t>& columns,
                ChartAxis& axis) {
  std::string name;
  for (const std::size_t column : columns) {
    name += (name.empty() ? "" : ", ") + cell_text(table.cell(row, column));
  }
  const auto found = std::ranges::find(axis.names, name);
  const auto place = static_cast<double>(found - axis.names.begin());
  if (found == axis.names.end()) axis.names.push_back(name);
  return place;
}

std::vector<ChartPoint> cells_of(const TableReader& table, const Node& series) {
  const std::size_t first = table.column(series.at("y"));
  std::vector<ChartPoint> out;
  for (const std::int64_t row : table.rows_of(series)) {
    for (std::size_t column = first + 1; column < table.n_columns(); ++column) {
      if (const auto z = number_of(table.cell(row, column))) {
        out.push_back(
            {.x = static_cast<double>(column - first - 1), .y = static_cast<double>(row), .z = *z});
      }
    }
  }
  return out;
}

// The points of a series, and their labels; names of category axes grow by what is met.
void read_points(const TableReader& table, const Node& series, ChartPanel& panel,
                 ChartSeries& out) {
  std::vector<std::size_t> category;
  if (series.has("category")) {
    for (const Node& column : series.at("category").list())
      category.push_back(table.column(column));
  }
  const auto column_of = [&](const char* key) -> std::optional<std::size_t> {
    if (!series.has(key)) return {};
    return table.column(series.at(key));
  };
  const auto low = column_of("low"), high = column_of("high"), label = column_of("label");
  const auto coordinate = [&](ChartAxis& axis, const char* key) {
    const bool by_name = axis.scale == ChartScale::category;
    if (by_name && category.empty()) series.at("category").refuse("is empty");
    const auto column = by_name ? std::nullopt : column_of(key);
    return [&table, &axis, category, by_name, column](std::int64_t row) -> std::optional<double> {
      if (by_name) return place_of(table, row, category, axis);
      if (!column) return ChartPoint::kNone;
      return number_of(table.cell(row, *column));
    };
  };
  if (panel.x.scale != ChartScale::category) table.column(series.at("x"));
  const auto x_at = coordinate(panel.x, "x"), y_at = coordinate(panel.y, "y");
  for (const std::int64_t row : table.rows_of(series)) {
    const auto x = x_at(row), y = y_at(row);
    if (!x || !y) continue;
    ChartPoint point{.x = *x, .y = *y};
    if (low) point.low = number_of(table.cell(row, *low)).value_or(ChartPoint::kNone);
    if (high) point.high = number_of(table.cell(row, *high)).value_or(ChartPoint::kNone);
    out.points.push_back(point);
    if (label) out.labels.push_back(cell_text(table.cell(row, *label)));
  }
}

ChartAxis axis_of(const Node& node) {
  ChartAxis out{.label = node.at("label").text(), .unit = text_or_none(node, "unit")};
  out.scale = node.at("scale").choice<ChartScale>();
  if (node.has("least")) out.least = node.at("least").number();
  if (node.has("most")) out.most = node.at("most").number();
  if (node.has("centre")) out.centre = node.at("centre").number();
  if (node.has("names")) {
    for (const Node& name : node.at("names").list()) out.names.push_back(name.text());
  }
  out.whole = node.has("whole") && node.at("whole").truth();
  if (out.least && out.most && *out.least >= *out.most) node.refuse("ends before it begins");
  if (out.scale == ChartScale::log && out.least.value_or(1) <= 0) {
    node.refuse("a logarithmic axis begins above 0");
  }
  return out;
}

ChartSeries series_of(const Node& node, const Node& tables, ChartPanel& panel) {
  ChartSeries out{.name = node.at("name").text(), .mark = node.at("mark").choice<ChartMark>()};
  out.style = static_cast<int>(node.at("style").integer(0, kChartStyles - 1));
  out.open = node.has("open") && node.at("open").truth();
  if (node.has("shift")) out.shift = node.at("shift").number();
  const Node name = node.at("table");
  if (!tables.has(name.text().c_str())) name.refuse(cat("there is no table '", name.text(), "'"));
  const TableReader table(tables.at(name.text().c_str()));
  if (out.mark == ChartMark::heat) {
    out.points = cells_of(table, node);
  } else {
    read_points(table, node, panel, out);
  }
  return out;
}

ChartPanel panel_of(const Node& node, const Node& tables) {
  ChartPanel out{
      .title = node.at("title").text(), .x = axis_of(node.at("x")), .y = axis_of(node.at("y"))};
  if (node.has("z")) out.z = axis_of(node.at("z"));
  for (const Node& series : node.at("series").list()) {
    out.series.push_back(series_of(series, tables, out));
  }
  for (const Node& line : node.at("lines").list()) {
    ChartLine one{.kind = line.at("kind").choice<ChartLineKind>(),
                  .label = line.at("label").text()};
    if (one.kind != ChartLineKind::diagonal) one.at = line.at("at").number();
    out.lines.push_back(one);
  }
  return out;
}

Chart chart_of(const Node& document) {
  const Node chart = document.at("chart"), tables = document.at("tables");
  Chart out;
  const std::string name = document.at("experiment").text();
  out.title = name + ": " + document.at("title").text();
  out.subtitle = cat(document.at("model").text(), " on ", document.at("items").text(),
                     ", n = ", document.at("n").integer(0, std::int64_t{1} << 60), " of ",
                     document.at("n_available").integer(0, std::int64_t{1} << 60), " ",
                     document.at("counts").text());
  out.columns = static_cast<int>(chart.at("columns").integer(1, 8));
  for (const Node& panel : chart.at("panels").list()) {
    out.panels.push_back(panel_of(panel, tables));
  }
  if (out.panels.empty()) chart.at("panels").refuse("is empty");
  for (const Node& note : chart.at("notes").list()) out.notes.push_back(note.text());
  return out;
}

}  // namespace

Chart read_experiment_chart(const std::string& path) {
  const std::string text = read_whole(path, "cannot be read", kCure);
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    refuse_input({.file = path,
                  .place = cat("byte ", error.byte),
                  .what = "is not valid JSON",
                  .cure = "mend the file at that byte"});
  } catch (const Json::out_of_range&) {
    refuse_input(
        {.file = path, .what = "has a number that is too large for any", .cure = "mend it"});
  }
  return chart_of({&json, "", &path});
}

}  // namespace qaq
