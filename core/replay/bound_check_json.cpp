#include <nlohmann/json.hpp>

#include "core/replay/bound_check.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

void set_achieved(const Achieved& achieved, double e, Json& out) {
  out["rows"] = achieved.n_rows;
  out["row_rms"] = achieved.row_rms;
  out["row_rms_over_e"] = achieved.row_rms / e;
  out["rows_over_e"] = achieved.n_over;
  out["share_over_e"] = static_cast<double>(achieved.n_over) / static_cast<double>(achieved.n_rows);
  out["entry_rms"] = achieved.entry_rms;
  out["entry_rms_over_e"] = achieved.entry_rms / e;
}

Json cell_json(const BoundCell& cell, const PromiseReport& report) {
  Json out;
  set_achieved(cell.replayed, report.e, out);
  Json& conditions = out["broken"] = Json::object();
  for (std::size_t i = 0; i < kBoundConditions; ++i) {
    if (!report.rests_on[i]) continue;
    conditions[std::string(kBoundConditionNames[i])] = {{"rows", cell.conditions[i].n_rows},
                                                        {"rows_over_e", cell.conditions[i].n_over}};
  }
  out["rows_over_e_none_broken"] = cell.n_over_unbroken;
  out["monte_carlo"] = nullptr;
  if (cell.drawn) {
    Json drawn;
    set_achieved(*cell.drawn, report.e, drawn);
    out["monte_carlo"] = drawn;
  }
  return out;
}

}  // namespace

Json bound_check_json(const BoundCheck& check) {
  Json out{{"prefix", check.prefix},
           {"in_sample", check.in_sample},
           {"see_future", check.see_future},
           {"draws", check.n_draws},
           {"seed", check.seed},
           {"key_mean_bits", check.key_mean_bits},
           {"value_mean_bits", check.value_mean_bits},
           {"promises", Json::array()}};
  for (const PromiseReport& report : check.promises) {
    Json promise{{"of", kPromiseNames[static_cast<std::size_t>(report.promise)]},
                 {"e", report.e},
                 {"promised", report.promised},
                 {"all", cell_json(report.all, report)},
                 {"heads", Json::array()}};
    for (const BoundCell& cell : report.cells) {
      Json head{{"layer", cell.layer}, {"head", cell.head}};
      head.update(cell_json(cell, report));
      promise["heads"].push_back(std::move(head));
    }
    out["promises"].push_back(std::move(promise));
  }
  return out;
}

}  // namespace qaq
