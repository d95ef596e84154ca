#pragma once

#include <string>

#include "core/analysis/experiment.h"

namespace qaq {

/// Experiments on the extension policies of section 9 of the mathematics: QAQ with one part
/// replaced, held against QAQ. Each ends with a sentence that says whether it helped.

/// Outliers by deviation (outlier_rule nsigma) against the authors' share, at equal packed bytes.
ExperimentResult run_ext_nsigma(const ExperimentContext& context);
/// Attention to the largest logits alone (sparse_top_k), over how many.
ExperimentResult run_ext_sparse_top_k(const ExperimentContext& context);
/// Quantized caches of a model with pruned weights, over the share that was pruned.
ExperimentResult run_ext_prune(const ExperimentContext& context);

// Beside plain QAQ on a text's capture: errors of scores and outputs over packed bytes, and whether
// the extension has less at equal bytes.

/// Moving averages in place of the attention window and q_norm (sensitivity ema).
ExperimentResult run_ext_ema(const ExperimentContext& context);
/// Eviction beside quantization (evict_factor).
ExperimentResult run_ext_hybrid(const ExperimentContext& context);
/// Plans now and then, of some heads, by blocks of tokens.
ExperimentResult run_ext_approximate(const ExperimentContext& context);
/// Windows that follow violations of persistence (window_rule adaptive).
ExperimentResult run_ext_adaptive(const ExperimentContext& context);

/// "Helps on this capture: ..." or "Does not help on this capture: ...".
std::string verdict_text(bool helps, const std::string& figures);

}  // namespace qaq
