#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/cell_scores.h"
#include "core/analysis/setting_caches.h"
#include "core/analysis/violations.h"
#include "core/evaluate/mixed_run.h"
#include "core/replay/explain.h"

namespace qaq {

/// What one later token reads of each KV head, from the exact run. Of the query heads of a group
/// the largest.
struct StepReads {
  std::int64_t position = 0;
  NdArray<float, 3> attention;  ///< (n_layers, n_kv_heads, n_prefix), reduced as the setting has it
  NdArray<float, 2>
      sink_mass;             ///< (n_layers, n_kv_heads): scores of the first kSinkTokens together
  NdArray<float, 2> q_norm;  ///< (n_layers, n_kv_heads): squared 2-norm of the query
};

StepReads step_reads(const CaptureView& capture, std::int64_t n_prefix, std::int64_t position,
                     GqaReduce reduce);

/// What the predicates of causes are asked about.
struct CauseContext {
  const CaptureView& capture;
  const QaqParams& params;
  const ViolationParams& violation;
  const SettingCache& setting;
  const CellScores& scores;
  const StepReads& step;
  /// The cells to blame, largest score first.
  std::span<const std::int64_t> suspects;
  /// ||b_k|| by layer; empty: the model has no biases of keys.
  std::span<const double> key_bias_norms;
  /// Layers that the suspects lie in, and whether the strongest, each quantized alone, do no harm.
  std::int64_t n_suspect_layers = 0;
  bool harmless_alone = false;
  SettingQuantizer& quantizer;
  const SettingQuantizer::Fault& fault;
  Work work;

  CellAddress cell(std::int64_t index) const { return cell_at(scores, index); }
  double score(std::int64_t index) const { return scores.span()[static_cast<std::size_t>(index)]; }
};

/// What a predicate found: the cells that it holds for, and what should repair them.
struct Suspicion {
  std::vector<std::int64_t> cells;  ///< that the counterfactual changes; empty: none
  std::string evidence;             ///< the predicate with its numbers
  /// Turns the setting into the one that the cells are taken from; empty: they are left exact.
  std::function<void(SettingChange&)> change{};
  std::string counterfactual{};           ///< in words, where not the cause's
  std::optional<double> suspect_share{};  ///< score of the suspects meant, where not of `cells`
};

/// A kind of reason why a quantized cache fails a step.
struct Cause {
  std::string_view name;            ///< "bits_clamped"
  std::string_view title;           ///< "bits clamped too low"
  std::string_view counterfactual;  ///< what must repair it
  Suspicion (*find)(const CauseContext&) = nullptr;
};

/// All of them. To add one: a function in the file of its kind, a line in cause.cpp, and a test
/// that plants it.
std::span<const Cause> causes();

// By file: what the bits follow from, the values, the attention, the layers.
Suspicion find_clamped_bits(const CauseContext& context);
Suspicion find_loose_target(const CauseContext& context);
Suspicion find_missed_outlier(const CauseContext& context);
Suspicion find_clipped_range(const CauseContext& context);
Suspicion find_jumped_importance(const CauseContext& context);
Suspicion find_query_norm(const CauseContext& context);
Suspicion find_sink(const CauseContext& context);
Suspicion find_key_bias(const CauseContext& context);
Suspicion find_carried_error(const CauseContext& context);

/// Shared by them.
/// Suspects of one side (or both) that quantization reaches and the predicate holds for.
std::vector<std::int64_t> suspects_where(
    const CauseContext& context, std::optional<CacheSide> side,
    const std::function<bool(const SettingSide& of, const CellAddress& cell, std::size_t unit)>&
        holds);
/// Of the suspects, those of a side that quantization reaches.
std::int64_t count_suspects(const CauseContext& context, std::optional<CacheSide> side);
/// The middle of some numbers; 0 of none.
double median_of(std::vector<double> numbers);

}  // namespace qaq
