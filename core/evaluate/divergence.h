#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/evaluate/item_result.h"
#include "core/evaluate/prefix_run.h"

namespace qaq {

/// How a text is generated: greedily, the prompt's first n_prefix tokens quantized once and all
/// that follows exact.
struct GenerationCall {
  std::span<const std::int32_t> prompt;
  std::int64_t n_prefix = 0;  ///< 1 to the prompt's length
  std::int64_t n_generate = 0;
  std::vector<std::int32_t> end_ids;  ///< tokens that end a text; they are left out
};

/// What the same prompt led to with the whole cache and with quantized ones.
struct DivergenceResult {
  std::vector<std::int32_t> reference;  ///< generated with the whole cache
  /// By setting: generated with the quantized cache; equal to the reference before
  /// first_difference.
  std::vector<std::vector<std::int32_t>> generated;
  /// By setting: index of the first generated token that differs (an early end counts); -1: none.
  std::vector<std::int64_t> first_difference;
  /// Positions along the reference's text, which both caches are given (teacher-forced): row i of
  /// the result predicts generated token i + 1, where the prompt goes behind its prefix token i.
  /// Margins, KL and NLL of the reference's own tokens.
  ItemResult along;
};

/// Generates with the whole cache and holds every setting against it. The quantized text goes its
/// own way from the first difference on. Progress in tokens.
DivergenceResult generate_divergence(PrefixRun& run, const GenerationCall& call, const Work& work);

}  // namespace qaq
