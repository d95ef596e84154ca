#pragma once

#include "core/analysis/chart.h"
#include "core/analysis/table.h"

namespace qaq {

// Charts of the experiments on the authors' grid. Tables are ExperimentTables with these names;
// flat settings are called "flat ...", QAQ's "qaq ..."; `whole` is the whole cache's accuracy.

/// Figure 4: accuracy and KL of both methods (the main table) against ratio_paper and ratio_packed,
/// with their fronts, and the ratios that the paper gives (`paper`, the table "paper", with
/// settings "flat ..." and "QAQ").
Chart fig4_chart(const Table& settings, const Table& paper, double whole);

/// Figure 3: QAQ's best at a ratio of at least 1, 2, ... (`best`, the main table) over all settings
/// (in "settings").
Chart fig3_chart(const Table& best, const Table& settings, double whole);

/// Table 1: the largest ratios, counted in three ways (`best`, the main table), and the paper's
/// (`paper`, the table "paper").
Chart table1_chart(const Table& best, const Table& paper, double whole);

}  // namespace qaq
