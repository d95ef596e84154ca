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

bool keeps_promise(const CauseContext& context, const SettingSide& of, const CellAddress& cell,
                   std::size_t unit) {
  return rms_error(context, cell) <= kPromiseSlack * promised_error(of.rule, of.choices[unit]);
}

// The score or the norm that the promise was made for is not the step's.
bool misjudged(const CauseContext& context, const CellAddress& cell, const UnitFacts& facts) {
  if (cell.side == CacheSide::key) {
    return context.step.q_norm(cell.layer, cell.kv_head) > kNormRatio * facts.q_norm;
  }
  const JumpTest jumped(context.violation, context.step.position);
  return jumped(context.step.attention(cell.layer, cell.kv_head, cell.token), facts.importance);
}

double score_of(const CauseContext& context, const std::vector<std::int64_t>& cells) {
  double out = 0;
  for (const std::int64_t index : cells) out += context.score(index);
  return out;
}

// Suspects that no clamp touched and that still err by more than their bits were to allow, where no
// other cause says why.
std::vector<std::int64_t> above_their_bound(const CauseContext& context) {
  std::vector<std::int64_t> out = suspects_where(
      context, {}, [&](const SettingSide& of, const CellAddress& cell, std::size_t unit) {
        return of.rule.kind != BitRule::Kind::fixed && !of.choices[unit].starved() &&
               !misjudged(context, cell, of.facts[unit]) && !keeps_promise(context, of, cell, unit);
      });
  for (const auto find : {find_clipped_range, find_missed_outlier}) {
    if (out.empty()) return out;
    std::vector<std::int64_t> theirs = find(context).cells;
    std::ranges::sort(theirs);
    std::erase_if(out,
                  [&](std::int64_t index) { return std::ranges::binary_search(theirs, index); });
  }
  return out;
}

void tighten(QaqSideParams& side) {
  side.target_quantization_error /= kTargetDivisor;
  side.n_bits_min = std::min(kMaxBits, side.n_bits_min + 1);
  side.n_bits_max = std::max(side.n_bits_min, std::min(kMaxBits, side.n_bits_max + kMoreBits));
  side.n_bits_uniform = std::min(kMaxBits, side.n_bits_uniform + kMoreBits);
}

}  // namespace

Suspicion find_clamped_bits(const CauseContext& context) {
  const std::vector<std::int64_t> starved =
      suspects_where(context, {}, [](const SettingSide& of, const CellAddress&, std::size_t unit) {
        return of.choices[unit].starved();
      });
  std::vector<std::int64_t> above = above_their_bound(context);
  // One counterfactual is replayed: that of the cells that matter more.
  if (score_of(context, above) > score_of(context, starved)) {
    Suspicion out;
    out.cells = std::move(above);
    out.evidence = cat(out.cells.size(), " of ", context.suspects.size(),
                       " suspect cells got the bits that they asked for and err by more than these "
                       "allow (median ",
                       median_bits(context, out.cells, &BitChoice::n_bits), " bits)");
    out.counterfactual = "half of the target error (n_bits_max 16)";
    out.change = [](SettingChange& change) {
      for (QaqSideParams* side : {&change.params.key, &change.params.value}) {
        side->target_quantization_error /= 2;
        side->n_bits_max = kMaxBits;
      }
      change.forces_newest = false;
      change.keeps_bits = false;
    };
    return out;
  }
  Suspicion out;
  out.cells = starved;
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
               keeps_promise(context, of, cell, unit);
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
