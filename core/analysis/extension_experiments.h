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

/// "Helps on this capture: ..." or "Does not help on this capture: ...".
std::string verdict_text(bool helps, const std::string& figures);

}  // namespace qaq
