#pragma once

#include <array>
#include <string>

#include "core/analysis/chart.h"
#include "core/analysis/table.h"

namespace qaq {

/// Figure 2a: accuracy and KL against the bits of the cache that is quantized, level head, both
/// range rules. `settings` is the main table, with settings "key 3 bits head midpoint"; `paper`,
/// the table "paper", has the paper's "key 3 bits". `whole` is the whole cache's accuracy.
Chart fig2a_chart(const Table& settings, const Table& paper, double whole);

/// Tables 2 and 3: the paper's accuracies and ratios (in `paper`, the table "paper") beside ours,
/// and KL of all settings (the main table, the two of a pair one behind the other) against both
/// ratios. `words` end the names of a pair's two.
Chart pairs_chart(const Table& settings, const Table& paper,
                  const std::array<std::string_view, 2>& words, double whole);

}  // namespace qaq
