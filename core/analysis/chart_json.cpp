#include "core/analysis/chart_json.h"

#include <nlohmann/json.hpp>

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

template <class Enum>
std::string_view name_of(Enum value) {
  return ChoiceNames<Enum>::names[static_cast<std::size_t>(value)];
}

Json axis_json(const ChartAxis& axis) {
  Json out{{"label", axis.label}, {"scale", name_of(axis.scale)}};
  if (!axis.unit.empty()) out["unit"] = axis.unit;
  if (axis.least) out["least"] = *axis.least;
  if (axis.most) out["most"] = *axis.most;
  if (!axis.names.empty()) out["names"] = axis.names;
  if (axis.centre) out["centre"] = *axis.centre;
  if (axis.whole) out["whole"] = true;
  return out;
}

Json series_json(const ChartSeries& series) {
  Json out{{"name", series.name}, {"mark", name_of(series.mark)}, {"style", series.style}};
  if (series.open) out["open"] = true;
  if (series.shift != 0) out["shift"] = series.shift;
  const ChartSource& source = series.source;
  out["table"] = source.table;
  for (const auto& [key, column] :
       {std::pair{"x", &source.x}, std::pair{"y", &source.y}, std::pair{"low", &source.low},
        std::pair{"high", &source.high}}) {
    if (!column->empty()) out[key] = *column;
  }
  if (!source.category.empty()) out["category"] = source.category;
  if (!source.label.empty()) out["label"] = source.label;
  if (!source.rows.empty()) out["rows"] = source.rows;
  return out;
}

Json line_json(const ChartLine& line) {
  Json out{{"kind", name_of(line.kind)}, {"label", line.label}};
  if (line.kind != ChartLineKind::diagonal) out["at"] = line.at;
  return out;
}

template <class Value, class Function>
Json list_of(const std::vector<Value>& values, Function json_of) {
  Json out = Json::array();
  for (const Value& value : values) out.push_back(json_of(value));
  return out;
}

Json panel_json(const ChartPanel& panel) {
  Json out{{"title", panel.title}, {"x", axis_json(panel.x)}, {"y", axis_json(panel.y)}};
  if (!panel.z.label.empty()) out["z"] = axis_json(panel.z);
  out["series"] = list_of(panel.series, series_json);
  out["lines"] = list_of(panel.lines, line_json);
  return out;
}

}  // namespace

Json chart_json(const Chart& chart) {
  return {{"columns", chart.columns},
          {"panels", list_of(chart.panels, panel_json)},
          {"notes", chart.notes}};
}

}  // namespace qaq
