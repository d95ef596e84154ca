#include "core/analysis/run_tradeoff.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/analysis/pareto_front.h"
#include "core/analysis/row_table.h"
#include "core/replay/replay.h"

namespace qaq {
namespace {

constexpr std::array<std::string_view, 4> kLosses{"kl_mean", "output_error", "attention_error",
                                                  "quantization_error"};

const char* ratio_name(Accounting accounting) {
  return accounting == Accounting::nominal ? "ratio_nominal" : "ratio_packed";
}

Cell metric_cell(const RunSummary& run, std::string_view name) {
  const auto found = run.metrics.find(std::string(name));
  return found == run.metrics.end() ? Cell{} : real_cell(found->second);
}

// A name that a table can hold.
std::string plain(std::string name) {
  std::ranges::replace_if(
      name, [](char c) { return c == ',' || c == '"' || c == '\n' || c == '\r'; }, ' ');
  return name;
}

template <class Enum>
Column choice(std::string name) {
  const auto& names = ChoiceNames<Enum>::names;
  return {
      .name = std::move(name), .kind = ColumnKind::choice, .choices = {names.begin(), names.end()}};
}

}  // namespace

RunSummary summary_of(const ReplayResult& result, std::string name) {
  RunSummary out{.name = std::move(name),
                 .params = scope_params_of(result.policy, result.parameters),
                 .prefix = result.prefix};
  // Held: items() of a temporary would outlive it.
  const auto metrics = metrics_json(result);
  for (const auto& [metric, value] : metrics.items()) {
    if (value.is_number() && std::isfinite(value.get<double>())) {
      out.metrics[metric] = value.get<double>();
    }
  }
  return out;
}

bool same_setting(const RunSummary& a, const RunSummary& b) {
  return a.prefix == b.prefix && same_policy(a.params, b.params);
}

std::span<const std::string_view> run_losses() { return kLosses; }

std::vector<std::string> losses_of(std::span<const RunSummary> runs) {
  std::vector<std::string> out;
  for (const std::string_view loss : kLosses) {
    if (std::ranges::any_of(runs, [&](const RunSummary& run) { return run.has(loss); })) {
      out.emplace_back(loss);
    }
  }
  return out;
}

std::vector<RunPoint> run_tradeoff(std::span<const RunSummary> runs, Accounting accounting,
                                   std::string_view loss) {
  std::vector<RunPoint> out;
  std::vector<Tradeoff> tradeoffs;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto& metrics = runs[i].metrics;
    const auto ratio = metrics.find(ratio_name(accounting));
    const auto lost = metrics.find(std::string(loss));
    if (ratio == metrics.end() || lost == metrics.end()) continue;
    out.push_back({.run = i, .ratio = ratio->second, .loss = lost->second});
    tradeoffs.push_back({ratio->second, lost->second});
  }
  const std::vector<bool> best = pareto_front(tradeoffs);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].on_front = best[i];
  return out;
}

std::vector<FrontCorner> front_stairs(std::span<const RunPoint> points) {
  std::vector<FrontCorner> front;
  for (const RunPoint& point : points) {
    if (point.on_front) front.push_back({point.ratio, point.loss});
  }
  std::ranges::sort(front, {}, &FrontCorner::ratio);
  std::vector<FrontCorner> out;
  for (const FrontCorner& next : front) {
    // More is saved only at the loss of the next run.
    if (!out.empty()) out.push_back({out.back().ratio, next.loss});
    out.push_back(next);
  }
  return out;
}

Table run_table(std::span<const RunSummary> runs, Accounting accounting, std::string_view loss) {
  const std::vector<RunPoint> points = run_tradeoff(runs, accounting, loss);
  std::vector<Column> columns{{.name = "run"},
                              {.name = "name", .kind = ColumnKind::text},
                              {.name = "policy", .kind = ColumnKind::text},
                              choice<Level>("key_level"),
                              choice<Level>("value_level"),
                              choice<Variant>("key_variant"),
                              choice<Variant>("value_variant"),
                              {.name = "prefix", .unit = "token"}};
  for (const char* ratio : {"ratio_nominal", "ratio_packed"}) {
    columns.push_back({.name = ratio, .kind = ColumnKind::real, .unit = "1"});
  }
  for (const std::string_view each : kLosses) {
    columns.push_back({.name = std::string(each), .kind = ColumnKind::real, .unit = "1"});
  }
  columns.push_back({.name = "on_front", .kind = ColumnKind::choice, .choices = {"no", "yes"}});
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunSummary& run = runs[i];
    const QaqParams& params = run.params.qaq;
    const auto of_qaq = [&](auto choice) {
      return run.params.uses_qaq() ? Cell(static_cast<std::int64_t>(choice)) : Cell();
    };
    std::vector<Cell> row{static_cast<std::int64_t>(i),
                          plain(run.name),
                          run.params.policy,
                          of_qaq(params.key.level),
                          of_qaq(params.value.level),
                          of_qaq(params.key.variant),
                          of_qaq(params.value.variant),
                          run.prefix};
    for (const char* ratio : {"ratio_nominal", "ratio_packed"}) {
      row.push_back(metric_cell(run, ratio));
    }
    for (const std::string_view each : kLosses) row.push_back(metric_cell(run, each));
    const auto point = std::ranges::find(points, i, &RunPoint::run);
    row.push_back(std::int64_t{point != points.end() && point->on_front});
    rows.push_back(std::move(row));
  }
  return table_of(std::move(columns), std::move(rows));
}

}  // namespace qaq
