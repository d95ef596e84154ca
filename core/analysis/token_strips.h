#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "core/analysis/heatmap.h"
#include "core/analysis/selection_set.h"
#include "core/analysis/violations.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// What is drawn below each token of a text: numbers by token, NaN where there is none (behind the
/// prefix; rows that were not captured).
struct TokenStrips {
  static constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

  std::vector<float> key_bits;           ///< (T)
  std::vector<float> value_bits;         ///< (T)
  std::vector<float> outliers;           ///< (T): values kept exactly; empty where not known yet
  std::vector<float> attention;          ///< (T): importance at the step; empty without attention
  std::vector<std::int32_t> violations;  ///< (T): how many jumps of importance
  std::int64_t first_row = 0;  ///< positions of the rows that attention is the maximum of,
  std::int64_t last_row = -1;  ///< both included
};

/// Which cells a strip is of: one layer and KV head; or all of them, of which bits are the minimum
/// (the worst allocation matters) and outliers the maximum. Outliers are those of keys and values
/// together. Attention is always of `attention`, the map (T, T) of one head or group: its maximum
/// over the last n_rows rows before the prefix's end, from which the bits of values follow.
struct StripInputs {
  const CaptureInfo* info = nullptr;
  const ReplayResult* replay = nullptr;
  const Heatmap* attention = nullptr;           ///< null: none
  const ViolationReport* violations = nullptr;  ///< null: none
  bool has_outliers = true;                     ///< the replay got as far as outliers
  std::int64_t n_rows = 1;
  /// Layer index and KV head; nothing: all.
  struct Head {
    std::int32_t layer = 0;
    std::int32_t kv_head = 0;
    std::int32_t query_head = -1;  ///< whose violations count; -1: of the whole group
  };
  std::optional<Head> head{};
};
TokenStrips token_strips(const StripInputs& inputs);

/// The strips of units of text: each token has what its whole unit has, bits the minimum, the rest
/// the maximum, violations the sum.
TokenStrips by_unit(const TokenStrips& strips, const std::vector<TokenRange>& units);

}  // namespace qaq
