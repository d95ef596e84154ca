#include "data/presets/grid.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/files/whole_file.h"
#include "data/presets/settings_file.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

class GridReader {
 public:
  explicit GridReader(std::string file) : file_(std::move(file)) {}

  ParameterGrid read() const {
    const std::string text = read_whole(file_, "cannot be read", "name a grid file");
    const Json json = parse_settings(file_, text, {"qaq-grid", "a grid", {"grid", "when"}});
    ParameterGrid grid;
    if (!json.contains("grid")) refuse("grid", "is missing", "write \"grid\": {NAME: [VALUES]}");
    grid.axes = axes("grid", json["grid"]);
    const Json when = json.value("when", Json::array());
    if (!when.is_array()) refuse("when", "is no list", "write \"when\": [\"NAME <= NAME\"]");
    for (std::size_t i = 0; i < when.size(); ++i) {
      add_condition(cat("when/", i), when[i], grid);
    }
    return grid;
  }

 private:
  void add_condition(const std::string& place, const Json& json, ParameterGrid& grid) const {
    if (json.is_string()) {
      grid.conditions.push_back(json.get<std::string>());
      return;
    }
    const bool whole = json.is_object() && json.size() == 2 && json.contains("if") &&
                       json["if"].is_string() && json.contains("grid");
    if (!whole) {
      refuse(place, "is no condition",
             "write \"NAME <= NAME\", or {\"if\": \"NAME == VALUE\", \"grid\": {...}}");
    }
    grid.branches.push_back({json["if"].get<std::string>(), axes(place + "/grid", json["grid"])});
  }

  std::vector<GridAxis> axes(const std::string& place, const Json& json) const {
    if (!json.is_object()) refuse(place, "is no JSON object", "write {NAME: [VALUES]}");
    std::vector<GridAxis> out;
    for (const auto& [name, values] : json.items()) {
      const std::string here = place + "/" + name;
      if (!values.is_array())
        refuse(here, "is no list", cat("write \"", name, "\": [", values.dump(), "]"));
      GridAxis axis{name, {}};
      for (const Json& value : values) {
        if (value.is_object()) {
          add_range(here, value, axis.values);
        } else {
          axis.values.push_back(settings_value(file_, here, value));
        }
      }
      out.push_back(std::move(axis));
    }
    return out;
  }

  double number(const std::string& place, const Json& range, const char* key,
                std::optional<double> otherwise = {}) const {
    if (!range.contains(key) && otherwise) return *otherwise;
    const Json value = range.value(key, Json());
    if (!value.is_number() || !std::isfinite(value.get<double>())) {
      refuse(place, cat("a range has no number \"", key, "\""),
             "write {\"from\": 1, \"to\": 8, \"step\": 1}");
    }
    return value.get<double>();
  }

  void add_range(const std::string& place, const Json& range,
                 std::vector<ParameterValue>& out) const {
    static const std::vector<std::string> kKeys{"from", "to", "step", "count", "log"};
    for (const auto& [key, value] : range.items()) {
      if (std::ranges::find(kKeys, key) == kKeys.end()) {
        refuse(place, cat("a range has no key \"", key, "\""), "use from, to, step, count, log");
      }
    }
    const double from = number(place, range, "from"), to = number(place, range, "to");
    const bool log = range.value("log", Json(false)) == true;
    const bool counted = range.contains("count");
    const double step = number(place, range, "step", 1.0);
    const double n =
        counted ? number(place, range, "count") : std::floor((to - from) / step + 1e-9) + 1;
    constexpr auto kMost = static_cast<double>(kMostSettings);
    if (std::isfinite(n) && n > kMost) {
      refuse(place, cat("the range ", range.dump(), " makes ", n, " values"),
             cat("give ", kMostSettings, " at most"));
    }
    if (!(n >= 1 && n <= kMost) || n != std::floor(n) ||
        (log && (!counted || from <= 0 || to <= 0))) {
      refuse(
          place, cat("the range ", range.dump(), " makes no list of values"),
          "let step lead from \"from\" to \"to\"; with \"log\" give a count and numbers above 0");
    }
    const bool whole = !log && !counted && from == std::floor(from) && step == std::floor(step);
    for (double i = 0; i < n; ++i) {
      const double share = n == 1 ? 0 : i / (n - 1);
      const double value = log       ? from * std::pow(to / from, share)
                           : counted ? from + (to - from) * share
                                     : from + i * step;
      if (whole) {
        out.emplace_back(static_cast<std::int64_t>(value));
      } else {
        out.emplace_back(value);
      }
    }
  }

  [[noreturn]] void refuse(const std::string& place, const std::string& what,
                           const std::string& cure) const {
    refuse_input({.file = file_, .place = place, .what = what, .cure = cure});
  }

  std::string file_;
};

}  // namespace

ParameterGrid read_grid(const std::string& path) { return GridReader(path).read(); }

}  // namespace qaq
