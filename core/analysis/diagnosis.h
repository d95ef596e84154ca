#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/analysis/cause.h"
#include "core/analysis/cell_scores.h"
#include "core/base/parameters.h"
#include "core/base/progress.h"
#include "core/evaluate/mixed_run.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// What became of one prediction.
enum class StepVerdict {
  same,        ///< the whole cache's top token, and the text has not parted
  coin_flip,   ///< another one, where the whole cache was undecided
  diverged,    ///< another one, where it was not
  downstream,  ///< the same on the same text, but the quantized cache's own text had parted before
};
template <>
struct ChoiceNames<StepVerdict> {
  static constexpr std::array<std::string_view, 4> names{"same", "coin-flip", "diverged",
                                                         "downstream"};
};

/// One row behind the prefix, both caches given the same text.
struct DiagnosedStep {
  std::int64_t position = 0;  ///< of the token that was read
  std::int32_t token = 0;     ///< which that is
  MixedScore score;
  StepVerdict verdict = StepVerdict::same;
};

/// A replay of the step with some of the cache left exact, or taken from a counterfactual.
struct DiagnosisReplay {
  std::string stage;         ///< "check", "side", "layers", "heads", "cells", "alone",
                             ///< "token", "why"
  std::string label;         ///< "keys exact", "layers 3, 4 exact"
  std::int64_t n_other = 0;  ///< cells that are not the setting's
  double kl = 0;             ///< nat, at the step
  std::int32_t got = 0;
  std::int64_t rank = 1;
  bool top_restored = false;
  bool repaired = false;  ///< and at most kRepairedShare of the KL is left
};

/// A cell to blame. Its layer is the model's number.
struct DiagnosedCell {
  CellAddress cell;
  double score = 0;  ///< see cell_scores()
  int n_bits = 0;
  int wanted = 0;  ///< before limits; what it got where bits are flat
};

/// A cell (its layer counted among captured ones) with what the setting made of it.
DiagnosedCell diagnosed_cell(const SettingCache& setting, const CaptureInfo& info,
                             const CellAddress& cell, double score);
nlohmann::ordered_json diagnosed_cell_json(const DiagnosedCell& cell);

enum class CauseVerdict { confirmed, hypothesis, ruled_out };
template <>
struct ChoiceNames<CauseVerdict> {
  static constexpr std::array<std::string_view, 3> names{"confirmed", "hypothesis", "ruled out"};
};

struct DiagnosedCause {
  std::string name;  ///< a Cause's, or "together": several of which none was enough by itself
  std::string title, counterfactual, evidence{};
  CauseVerdict verdict = CauseVerdict::ruled_out;
  std::int64_t n_cells = 0;  ///< that the counterfactual changed; 0: it was not replayed
  double extra_bytes = 0;    ///< that it costs
  double kl_before = 0, kl_after = 0;
  bool top_restored = false;
};

enum class DiagnosisOutcome {
  explained,         ///< a cause is confirmed
  unexplained,       ///< a place is, but no cause
  nothing_broke,     ///< the quantized cache predicts as the whole one does
  not_quantization,  ///< the whole cache's own numbers, put back, differ too
};
template <>
struct ChoiceNames<DiagnosisOutcome> {
  static constexpr std::array<std::string_view, 4> names{"explained", "unexplained",
                                                         "nothing broke", "not quantization"};
};

struct DiagnosisOptions {
  QaqParams params;
  ViolationParams violation{};
  double coin_flip_margin = 0.1;             ///< logits: a flip below it is none (section 10)
  std::optional<std::int64_t> step{};        ///< row to explain; nothing: the first that diverged
  std::span<const double> key_bias_norms{};  ///< ||b_k|| by model layer; empty: no such bias
  /// Row where the quantized cache's own greedy text parts from this one; nothing: it does not, or
  /// nobody looked.
  std::optional<std::int64_t> own_text_parts{};
  /// What tests plant. It meets counterfactuals, too, and sees by their parameters which they are.
  SettingQuantizer::Fault fault{};
};

/// What broke, where, and why.
struct Diagnosis {
  DiagnosisOutcome outcome = DiagnosisOutcome::nothing_broke;
  QaqParams params;
  double coin_flip_margin = 0.1;
  std::int64_t n_prefix = 0;
  std::vector<std::int32_t> prefix_ids;  ///< (n_prefix)
  std::optional<std::int64_t> own_text_parts;
  std::vector<DiagnosedStep> steps;
  std::int64_t step = 0;  ///< index of the one that is explained
  std::string why_step;   ///< why that one
  double exact_kl = 0;    ///< with the whole cache's numbers put back

  std::optional<CacheSide> side;     ///< which cache it takes; nothing: both
  std::vector<std::int32_t> layers;  ///< of the model, those to blame, strongest first
  std::vector<DiagnosedCell> cells;  ///< to blame, strongest first
  std::int64_t n_cells = 0;          ///< in both caches
  std::int64_t n_not_enough = 0;     ///< so many of the first cells, left exact, do not repair
  std::array<NdArray<float, 2>, 2> head_scores;  ///< keys, values: (n_layers, n_kv_heads), sums
  std::array<NdArray<float, 2>, 2> head_kl;      ///< the same of replay_heads(); empty: not made
  std::vector<DiagnosisReplay> replays;          ///< in the order in which they were made
  std::vector<DiagnosedCause> causes;  ///< confirmed, cheapest first; hypotheses; ruled out
  std::int64_t n_replays = 0;          ///< without those of head_kl

  const DiagnosedStep& explained() const { return steps[static_cast<std::size_t>(step)]; }
};

/// Explains why the quantized prefix of a run fails. Replays with parts of the cache left exact, in
/// the order of a first-order score, find the fewest cells whose exactness repairs the step; causes
/// are predicates over these, confirmed by replays of their counterfactuals. Confirmed ones are in
/// the order of the bytes that their counterfactual adds: the least change that repairs is the best
/// explanation. Progress counts replays. Throws Error{usage} for a step that is not there and
/// where sparse_top_k leaves keys out.
Diagnosis diagnose(MixedRun& run, const DiagnosisOptions& options, const Work& work);

/// The caches that the place to blame lies in: one, or both; none where no place was looked for.
std::vector<CacheSide> blamed_sides(const Diagnosis& diagnosis);

/// KL (nat) at the explained step with the cells of one KV head of one cache left exact and all
/// else as the setting has it: (n_layers, n_kv_heads), a replay for each. Below the step's KL the
/// head was part of the failure; above it, its error had made up for another's. `run` and `options`
/// are those of the diagnosis, whose quantization is made anew: the run may have had another since.
/// Progress counts replays.
NdArray<float, 2> replay_heads(MixedRun& run, const DiagnosisOptions& options,
                               const Diagnosis& diagnosis, CacheSide side, const Work& work);

/// Fills head_kl for the caches to blame.
void add_head_kl(MixedRun& run, const DiagnosisOptions& options, Diagnosis& diagnosis,
                 const Work& work);

/// How KL (nat) at the explained step changes where a head's cells are left exact, by cache (keys,
/// values), (n_layers, n_kv_heads); empty where head_kl is.
std::array<NdArray<float, 2>, 2> head_kl_change(const Diagnosis& diagnosis);

}  // namespace qaq
