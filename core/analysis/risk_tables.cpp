#include "core/analysis/risk_tables.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "core/analysis/head_statistics.h"
#include "core/analysis/row_table.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

Column text(std::string name) { return {.name = std::move(name), .kind = ColumnKind::text}; }

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace

std::vector<std::size_t> strongest_first(
    const std::vector<std::optional<RankCorrelation>>& correlations) {
  std::vector<std::size_t> out(correlations.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  std::ranges::stable_sort(out, std::greater(), [&](std::size_t i) {
    return correlations[i] ? std::abs(correlations[i]->rho) : -1.0;
  });
  return out;
}

Table risk_table(const Risk& risk, std::size_t statistic) {
  std::vector<Column> columns{{.name = "rank"}, {.name = "layer"}, {.name = "kv_head"}};
  for (const HeadStatistic& each : head_statistics())
    columns.push_back(real_column(std::string(each.name)));
  for (const HeadDamage& damage : risk.damages)
    columns.push_back(real_column(damage.name, damage.unit));
  std::vector<std::vector<Cell>> rows;
  for (const std::int64_t head : risk.ranked_by(statistic)) {
    const std::int64_t layer = head / risk.n_kv_heads, kv_head = head % risk.n_kv_heads;
    std::vector<Cell> row{std::ssize(rows) + 1,
                          std::int64_t{risk.layers[static_cast<std::size_t>(layer)]}, kv_head};
    for (std::int64_t i = 0; i < risk.statistics.shape(0); ++i) {
      row.push_back(real_cell(risk.statistics(i, layer, kv_head)));
    }
    for (const HeadDamage& damage : risk.damages) {
      row.push_back(real_cell(damage.of_head(layer, kv_head)));
    }
    rows.push_back(std::move(row));
  }
  return table_of(std::move(columns), std::move(rows));
}

Table risk_correlation_table(const Risk& risk) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t d = 0; d < risk.damages.size(); ++d) {
    for (const std::size_t i : strongest_first(risk.correlations[d])) {
      const HeadStatistic& of = head_statistics()[i];
      const auto& found = risk.correlations[d][i];
      std::vector<Cell> row{risk.damages[d].name, std::string(of.name),
                            std::string(riskiest_of(of))};
      if (found) {
        row.insert(row.end(), {real_cell(found->rho), real_cell(found->interval.low),
                               real_cell(found->interval.high), found->n});
      } else {
        row.resize(row.size() + 4);
      }
      row.emplace_back(verdict_on(found, of.low_is_risky));
      rows.push_back(std::move(row));
    }
  }
  return table_of({text("damage"),
                   text("statistic"),
                   text("riskiest"),
                   real_column("rho"),
                   real_column("low"),
                   real_column("high"),
                   {.name = "n"},
                   text("verdict")},
                  std::move(rows));
}

Json risk_json(const Risk& risk, std::size_t statistic) {
  Json statistics = Json::array(), damages = statistics, heads = statistics;
  Json correlations = Json::object();
  for (const HeadStatistic& each : head_statistics()) {
    statistics.push_back(
        {{"name", each.name}, {"formula", each.formula}, {"riskiest", riskiest_of(each)}});
  }
  for (std::size_t d = 0; d < risk.damages.size(); ++d) {
    const HeadDamage& damage = risk.damages[d];
    damages.push_back({{"name", damage.name},
                       {"what", damage.what},
                       {"unit", damage.unit},
                       {"mode", name_of(damage.mode)}});
    Json& of = correlations[damage.name] = Json::array();
    for (const std::size_t i : strongest_first(risk.correlations[d])) {
      const HeadStatistic& each = head_statistics()[i];
      const auto& found = risk.correlations[d][i];
      of.push_back({{"statistic", each.name},
                    {"rho", found ? Json(found->rho) : Json()},
                    {"interval", found ? Json{found->interval.low, found->interval.high} : Json()},
                    {"n", found ? Json(found->n) : Json()},
                    {"verdict", verdict_on(found, each.low_is_risky)}});
    }
  }
  for (const std::int64_t head : risk.ranked_by(statistic)) {
    const std::int64_t layer = head / risk.n_kv_heads, kv_head = head % risk.n_kv_heads;
    Json of_statistics = Json::object(), of_damages = Json::object();
    for (std::int64_t i = 0; i < risk.statistics.shape(0); ++i) {
      of_statistics[std::string(head_statistics()[static_cast<std::size_t>(i)].name)] =
          number_or_null(risk.statistics(i, layer, kv_head));
    }
    for (const HeadDamage& damage : risk.damages) {
      of_damages[damage.name] = number_or_null(damage.of_head(layer, kv_head));
    }
    heads.push_back({{"layer", risk.layers[static_cast<std::size_t>(layer)]},
                     {"kv_head", kv_head},
                     {"statistics", std::move(of_statistics)},
                     {"damage", std::move(of_damages)}});
  }
  return {{"prefix", risk.prefix},
          {"in_sample", risk.in_sample},
          {"by", head_statistics()[statistic].name},
          {"statistics", std::move(statistics)},
          {"damages", std::move(damages)},
          {"correlations", std::move(correlations)},
          {"heads", std::move(heads)}};
}

}  // namespace qaq
