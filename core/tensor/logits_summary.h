#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qaq {

/// What a capture keeps of one row of logits.
struct LogitsSummary {
  std::int32_t argmax = 0;  ///< ties: lower id
  float argmax_logit = 0;
  float logsumexp = 0;                 ///< nat, summed in float64
  std::vector<std::int32_t> topk_ids;  ///< descending logits, ties: lower id first
  std::vector<float> topk_logits;
};

/// Summary of one row (vocab_size) with the `k` largest logits (fewer where the row is shorter).
LogitsSummary summarize_logits(std::span<const float> row, std::int64_t k);

}  // namespace qaq
