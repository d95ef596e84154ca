#include "app/cli/pareto.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/analysis/pareto_front.h"
#include "core/base/text.h"
#include "core/policy/policies.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Point {
  Tradeoff at;
  const ResultRecord* record = nullptr;
};

// The authors' runs have none.
bool has_metrics(const ResultRecord& record) {
  const Json& scope = record.qaq_scope;
  return scope.is_object() && scope.contains("metrics") && scope["metrics"].is_object() &&
         scope.contains("parameters") && scope["parameters"].is_object();
}

// What is nearest to what a model does with its cache, of what all runs were judged by.
const char* loss_name(std::span<const ResultRecord> records) {
  const auto all_have = [&](const char* name) {
    return std::ranges::all_of(records, [name](const ResultRecord& r) {
      return !has_metrics(r) || r.qaq_scope["metrics"].value(name, Json()).is_number();
    });
  };
  for (const char* name : {"kl_mean", "output_error"}) {
    if (all_have(name)) return name;
  }
  return "quantization_error";
}

// Tightest last; of runs that save and lose the same, one.
std::vector<Point> front(std::span<const ResultRecord> records) {
  const char* name = loss_name(records);
  std::vector<Tradeoff> all;
  std::vector<const ResultRecord*> owners;
  for (const ResultRecord& record : records) {
    if (!has_metrics(record)) continue;
    const Json& metrics = record.qaq_scope["metrics"];
    all.push_back({metrics.value("ratio_packed", 0.0), metrics.value(name, 0.0)});
    owners.push_back(&record);
  }
  const std::vector<bool> best = pareto_front(all);
  std::vector<Point> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (best[i]) out.push_back({all[i], owners[i]});
  }
  std::ranges::stable_sort(out, std::ranges::greater(), [](const Point& p) { return p.at.ratio; });
  const auto rest = std::ranges::unique(out, {}, [](const Point& p) { return p.at.ratio; });
  out.erase(rest.begin(), rest.end());
  return out;
}

// The setting as --policy and --set flags.
std::string setting_of(const ResultRecord& record) {
  std::vector<std::string> assignments;
  for (const auto& [name, value] : record.qaq_scope["parameters"].items()) {
    assignments.push_back(
        cat(name, "=", value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return command_line_text(*make_policy(record.qaq_scope.value("policy", "qaq"), assignments));
}

}  // namespace

Json pareto_json(std::span<const ResultRecord> records) {
  Json out = Json::array();
  for (const Point& point : front(records)) {
    const Json& scope = point.record->qaq_scope;
    const char* subject = scope.contains("task") ? "task" : "capture";
    out.push_back({{"ratio_packed", point.at.ratio},
                   {loss_name(records), point.at.loss},
                   {subject, scope.value(subject, Json())},
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
    std::printf("  %8.2f x  %-18.4g  %s\n", point.at.ratio, point.at.loss,
                setting_of(*point.record).c_str());
  }
}

}  // namespace qaq::cli
