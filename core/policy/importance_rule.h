#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/parameters.h"
#include "core/policy/adaptive_window.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// What a token's importance is, as rows of attention come in (section 5 of the mathematics).
enum class ImportanceRule { window_max, ema, decayed_max, accumulated };
template <>
struct ChoiceNames<ImportanceRule> {
  static constexpr std::array<std::string_view, 4> names{"window_max", "ema", "decayed_max",
                                                         "accumulated"};
};

/// How importance follows from rows of attention.
struct ImportanceOptions {
  ImportanceRule rule = ImportanceRule::window_max;
  double beta = 0.8;
  std::int64_t n_rows = 1;  ///< of window_max; of an adaptive window the first
  GqaReduce reduce = GqaReduce::max;
  std::int64_t head_stride = 1;  ///< of a KV head's query heads every so many are looked at
  std::optional<AdaptiveWindow> adaptive{};

  bool operator==(const ImportanceOptions&) const = default;
  /// Whether every row counts, from token 0 on.
  bool follows_all_rows() const { return rule != ImportanceRule::window_max || adaptive; }
  /// Whether these are the newest rows' maxima of all query heads, with a window of one length.
  bool is_plain() const { return !follows_all_rows() && head_stride == 1; }
};

}  // namespace qaq
