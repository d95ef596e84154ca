// Causes in what bits follow from: limits and targets.
#include <algorithm>
#include <cmath>

#include "core/analysis/cause.h"
#include "core/analysis/diagnosis_limits.h"
#include "core/base/text.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

std::string median_bits(const CauseContext& context, const std::vector<std::int64_t>& cells,
                        int BitChoice::*bits) {
  std::vector<double> all;
  for (const std::int64_t index : cells) {
    const CellAddress cell = context.cell(index);
    const SettingSide& of = context.setting.side(cell.side);
    all.push_back(of.choices[of.unit(cell.layer, cell.kv_head, cell.token)].*bits);
  }
  return number_text(median_of(std::move(all)));
}

// The RMS error of a cell.
double rms_error(const CauseContext& context, const CellAddress& cell) {
  const auto exact = exact_layer(context.capture, cell.side, cell.layer);
  const auto row = exact->sub(cell.kv_head, cell.token).span();
  return std::sqrt(squared_distance(context.setting.row(cell), row) /
                   static_cast<double>(row.size()));
}

// What the rule lets an error be, as a deviation.
double promised_error(const BitRule& rule, const BitChoice& choice) {
  return rule.kind == BitRule::Kind::variance ? std::sqrt(choice.error) : choice.error;
}

// The score or the norm that the promise was made for is not the step's.
bool misjudged(const CauseContext& context, const CellAddress& cell, const UnitFacts& facts) {
  if (cell.side == CacheSide::key) {
    return context.step.q_norm(cell.layer, cell.kv_head) > kNormRatio * facts.q_norm;
  }
  const JumpTest jumped(context.violation, context.step.position);
  return jumped(context.step.attention(cell.layer, cell.kv_head, cell.token), facts.importance);
}

void tighten(QaqSideParams& side) {
  side.target_quantization_error /= kTargetDivisor;
  side.n_bits_min = std::min(kMaxBits, side.n_bits_min + 1);
  side.n_bits_max = std::max(side.n_bits_min, std::min(kMaxBits, side.n_bits_max + kMoreBits));
  side.n_bits_uniform = std::min(kMaxBits, side.n_bits_uniform + kMoreBits);
}

}  // namespace

Suspicion find_clamped_bits(const CauseContext& context) {
  Suspicion out;
  out.cells =
      suspects_where(context, {}, [](const SettingSide& of, const CellAddress&, std::size_t unit) {
        return of.choices[unit].starved();
      });
  out.evidence = cat(out.cells.size(), " of ", context.suspects.size(),
                     " suspect cells asked for more bits than they got");
  if (out.cells.empty()) return out;
  out.evidence += cat(" (median ", median_bits(context, out.cells, &BitChoice::wanted), " wanted, ",
                      median_bits(context, out.cells, &BitChoice::n_bits), " given)");
  out.change = [](SettingChange& change) {
    change.params.key.n_bits_max = change.params.value.n_bits_max = kMaxBits;
    change.forces_newest = false;  // else the newest would get more than they ask for
    change.keeps_bits = false;
  };
  return out;
}

Suspicion find_loose_target(const CauseContext& context) {
  Suspicion out;
  bool flat = false;
  out.cells = suspects_where(
      context, {}, [&](const SettingSide& of, const CellAddress& cell, std::size_t unit) {
        const BitChoice& choice = of.choices[unit];
        if (of.rule.kind == BitRule::Kind::fixed) return flat = !choice.starved();
        return !choice.starved() && !misjudged(context, cell, of.facts[unit]) &&
               rms_error(context, cell) <= kPromiseSlack * promised_error(of.rule, choice);
      });
  out.evidence = cat(out.cells.size(), " of ", context.suspects.size(),
                     flat ? " suspect cells have flat bits, which promise nothing"
                          : " suspect cells got all bits they asked for and kept their promised "
                            "error");
  if (out.cells.empty()) return out;
  out.evidence += cat(" (median ", median_bits(context, out.cells, &BitChoice::n_bits), " bits)");
  out.change = [](SettingChange& change) {
    tighten(change.params.key);
    tighten(change.params.value);
    change.keeps_bits = false;
  };
  return out;
}

}  // namespace qaq
