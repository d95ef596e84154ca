#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/tap.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What a capture keeps of the logits: a summary of each row, (T) and (T, k).
struct LogitsTable {
  std::vector<std::int32_t> argmax;
  std::vector<float> argmax_logit;
  std::vector<float> logsumexp;
  NdArray<std::int32_t, 2> topk_ids;
  NdArray<float, 2> topk_logits;

  /// Room for `max_tokens` rows of the `k` largest of `vocab_size` logits (fewer if it has fewer).
  LogitsTable(std::int64_t max_tokens, std::int64_t k, std::int64_t vocab_size);
  /// Summarizes the rows of a logits block, or takes those of a logits_top block.
  void add(const TapBlock& block);

 private:
  void add_summaries(const TapBlock& block);
};

}  // namespace qaq
