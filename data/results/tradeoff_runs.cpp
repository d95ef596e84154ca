#include "data/results/tradeoff_runs.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/base/error.h"
#include "data/results/results_file.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

const Json& member(const Json& json, const char* key) {
  static const Json kNothing;
  return json.is_object() && json.contains(key) ? json[key] : kNothing;
}

void add_numbers(const Json& from, std::map<std::string, double>& to) {
  if (!from.is_object()) return;
  for (const auto& [name, value] : from.items()) {
    if (value.is_number() && std::isfinite(value.get<double>())) to[name] = value.get<double>();
  }
}

bool is_by_attention(const Json& params) {
  return std::ranges::any_of(std::array{"key_quantizer", "value_quantizer"}, [&](const char* side) {
    return member(member(params, side), "use_attentions") == true;
  });
}

// Wilson's where we wrote it; the authors give half the width of the normal one.
std::optional<std::pair<double, double>> interval_of(const TradeoffRun& run, const Json& metrics) {
  const Json& wilson = member(metrics, "accuracy_wilson_95");
  if (wilson.is_array() && wilson.size() == 2 && wilson[0].is_number() && wilson[1].is_number()) {
    return std::pair{wilson[0].get<double>(), wilson[1].get<double>()};
  }
  const auto accuracy = run.metrics.find("accuracy");
  const auto half = run.metrics.find("accuracy_confidence");
  if (accuracy == run.metrics.end() || half == run.metrics.end()) return {};
  return std::pair{std::max(0.0, accuracy->second - half->second),
                   std::min(1.0, accuracy->second + half->second)};
}

}  // namespace

std::vector<TradeoffRuns> read_tradeoff_runs(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  TradeoffRuns ours{.name = name}, theirs{.name = name, .authors = true};
  for (const ResultRecord& record : read_results(path)) {
    const Json& metrics = member(record.qaq_scope, "metrics");
    TradeoffRun run{.by_attention = is_by_attention(record.params)};
    add_numbers(record.results, run.metrics);
    add_numbers(metrics, run.metrics);
    run.accuracy_interval = interval_of(run, metrics);
    (record.qaq_scope.is_null() ? theirs : ours).runs.push_back(std::move(run));
  }
  std::vector<TradeoffRuns> out;
  for (TradeoffRuns* runs : {&ours, &theirs}) {
    if (!runs->runs.empty()) out.push_back(std::move(*runs));
  }
  if (out.empty()) {
    refuse_input({.file = path, .what = "holds no runs", .cure = "name a results file with some"});
  }
  return out;
}

}  // namespace qaq
