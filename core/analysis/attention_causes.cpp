// Causes in what attention does after the cache was quantized.
#include "core/analysis/cause.h"
#include "core/analysis/diagnosis_limits.h"
#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {

Suspicion find_jumped_importance(const CauseContext& context) {
  Suspicion out;
  const JumpTest jumped(context.violation, context.step.position);
  std::vector<double> ratios;
  out.cells = suspects_where(context, CacheSide::value,
                             [&](const SettingSide& of, const CellAddress& cell, std::size_t unit) {
                               if (of.rule.kind == BitRule::Kind::fixed) return false;
                               const float now =
                                   context.step.attention(cell.layer, cell.kv_head, cell.token);
                               if (!jumped(now, of.facts[unit].importance)) return false;
                               ratios.push_back(now / of.facts[unit].importance);
                               return true;
                             });
  out.evidence =
      cat(out.cells.size(), " of ", count_suspects(context, CacheSide::value),
          " suspect values get more than ", number_text(context.violation.violation_ratio),
          " times the attention that their bits were given by");
  if (out.cells.empty()) return out;
  out.evidence += cat(" (median ", short_text(median_of(ratios)), " times)");
  out.change = [](SettingChange& change) {
    change.rows = ImportanceRows::replayed;
    change.keeps_bits = false;
  };
  return out;
}

Suspicion find_query_norm(const CauseContext& context) {
  Suspicion out;
  std::vector<double> ratios;
  out.cells = suspects_where(context, CacheSide::key,
                             [&](const SettingSide& of, const CellAddress& cell, std::size_t unit) {
                               if (of.rule.kind == BitRule::Kind::fixed) return false;
                               const double assumed = of.facts[unit].q_norm;
                               const double actual = context.step.q_norm(cell.layer, cell.kv_head);
                               if (!(actual > assumed)) return false;
                               ratios.push_back(actual / assumed);
                               return true;
                             });
  out.evidence = cat(out.cells.size(), " of ", count_suspects(context, CacheSide::key),
                     " suspect keys meet a query whose squared norm is above the assumed one");
  if (out.cells.empty()) return out;
  out.evidence += cat(" (median ", short_text(median_of(ratios)), " times)");
  out.change = [&norms = context.step.q_norm](SettingChange& change) {
    change.params.key.q_norm = RealOrAuto::automatic();
    change.q_norm = &norms;
    change.keeps_bits = false;
  };
  return out;
}

Suspicion find_sink(const CauseContext& context) {
  Suspicion out;
  double most = 0;
  out.cells =
      suspects_where(context, {}, [&](const SettingSide&, const CellAddress& cell, std::size_t) {
        const double mass = context.step.sink_mass(cell.layer, cell.kv_head);
        if (cell.token >= kSinkTokens || mass <= kSinkMass) return false;
        most = std::max(most, mass);
        return true;
      });
  out.evidence =
      cat(out.cells.size(), " of ", context.suspects.size(), " suspect cells are of the first ",
          kSinkTokens, " tokens, in heads that rest on these");
  if (!out.cells.empty()) out.evidence += cat(" (up to ", short_text(100 * most), " % of a row)");
  return out;
}

}  // namespace qaq
