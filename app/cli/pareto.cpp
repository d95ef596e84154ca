#include "app/cli/pareto.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/policy/authors_names.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Point {
  double ratio = 0;
  double loss = 0;
  const ResultRecord* record = nullptr;
};

const char* loss_name(std::span<const ResultRecord> records) {
  const bool compared = std::ranges::all_of(records, [](const ResultRecord& r) {
    return !r.qaq_scope.is_object() ||
           r.qaq_scope["metrics"].value("output_error", Json()).is_number();
  });
  return compared ? "output_error" : "quantization_error";
}

std::vector<Point> front(std::span<const ResultRecord> records) {
  const char* name = loss_name(records);
  std::vector<Point> points;
  for (const ResultRecord& record : records) {
    if (!record.qaq_scope.is_object()) continue;
    const Json& metrics = record.qaq_scope["metrics"];
    points.push_back({metrics.value("ratio_packed", 0.0), metrics.value(name, 0.0), &record});
  }
  std::ranges::sort(points, [](const Point& a, const Point& b) {
    return a.ratio != b.ratio ? a.ratio > b.ratio : a.loss < b.loss;
  });
  std::vector<Point> out;
  double least = std::numeric_limits<double>::infinity();
  for (const Point& point : points) {
    if (point.loss >= least) continue;
    least = point.loss;
    out.push_back(point);
  }
  return out;
}

// The setting as --set flags.
std::string setting_of(const ResultRecord& record) {
  QaqParams params;
  for (const auto& [name, value] : record.qaq_scope["parameters"].items()) {
    set_parameter(params, name,
                  ParameterValue(value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return command_line_text(list_parameters(params), list_parameters(QaqParams{}));
}

}  // namespace

Json pareto_json(std::span<const ResultRecord> records) {
  Json out = Json::array();
  for (const Point& point : front(records)) {
    out.push_back({{"ratio_packed", point.ratio},
                   {loss_name(records), point.loss},
                   {"capture", point.record->qaq_scope["capture"]},
                   {"hash", point.record->hash()}});
  }
  return out;
}

void print_pareto(std::span<const ResultRecord> records) {
  const std::vector<Point> points = front(records);
  if (points.empty()) return;
  std::printf("No run loses less in less than these:\n  %10s  %-18s  %s\n", "packed",
              loss_name(records), "setting");
  for (const Point& point : points) {
    std::printf("  %8.2f x  %-18.4g  %s\n", point.ratio, point.loss,
                setting_of(*point.record).c_str());
  }
}

}  // namespace qaq::cli
