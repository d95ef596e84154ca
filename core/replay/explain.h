#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/base/progress.h"
#include "core/policy/bit_steps.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/arith.h"
#include "core/replay/capture_view.h"
#include "core/replay/planner.h"
#include "core/replay/replay.h"

namespace qaq {

/// One token of one KV head in one layer of keys or values.
struct CellAddress {
  CacheSide side = CacheSide::key;
  std::int64_t layer = 0;  ///< the model's number, not the place among captured layers
  std::int64_t kv_head = 0;
  std::int64_t token = 0;
};

/// The place of the cell's layer among those that were captured. Throws Error{usage} for a cell
/// that the capture does not have, with the ranges that it has.
std::int64_t checked_layer(const CaptureInfo& info, const CellAddress& cell);

/// Why a cell got its bits and what they made of it.
struct CellExplanation {
  CellAddress cell;
  std::string token_text;
  std::int64_t prefix = 0;  ///< tokens that were planned, where the cell was
  QaqSideParams params;     ///< of the cell's cache
  std::string why_exact;    ///< not empty: the cell is left as it is, and nothing below is set
  bool evicted = false;     ///< or it is gone, and why_exact says why

  std::int64_t unit_size = 0;  ///< values that share the cell's bits
  UnitStats stats;             ///< of the unit, as seen from the cell's first value
  BitSteps bits;
  std::int64_t first_forced = 0;  ///< tokens from here to the prefix's end get n_bits_max
  UniformGrid grid;               ///< method uniform: what the bits make of the unit's range

  std::int64_t n_outliers = 0;  ///< in the cell: values kept exactly
  double rms_error = 0;         ///< over the cell's channels
};

/// Explains cells of one replay, one after the other: what units have in common is planned once a
/// cache, at its first cell. The capture outlives it.
class Explainer {
 public:
  /// Throws Error{usage} for parameters that contradict each other.
  Explainer(const CaptureView& capture, const ReplayOptions& options);
  ~Explainer();
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;

  /// As explain_cell().
  CellExplanation explain(const CellAddress& cell, const Work& work = {});

 private:
  struct Side;
  const Side& side(CacheSide which, const Work& work);

  const CaptureView& capture_;
  QaqPolicy policy_;
  std::int64_t prefix_;
  std::int64_t n_planned_;  // of its tokens
  Planner planner_;
  std::array<std::unique_ptr<const Side>, 2> sides_;
};

/// Explains one cell under the options of a replay. Throws as replay() does, and Error{usage} for a
/// cell that the capture does not have, with the ranges that it has.
CellExplanation explain_cell(const CaptureView& capture, const ReplayOptions& options,
                             const CellAddress& cell, const Work& work = {});

nlohmann::ordered_json explanation_json(const CellExplanation& explanation);

/// "none", "n_bits_min" or "n_bits_max".
const char* name_of(BitChoice::Clamp clamp);

}  // namespace qaq
