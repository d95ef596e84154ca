#include "data/capture/logits_table.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>

#include "core/base/parallel.h"
#include "core/tensor/logits_summary.h"

namespace qaq {

LogitsTable::LogitsTable(std::int64_t max_tokens, std::int64_t k, std::int64_t vocab_size)
    : argmax(static_cast<std::size_t>(max_tokens)),
      argmax_logit(static_cast<std::size_t>(max_tokens)),
      logsumexp(static_cast<std::size_t>(max_tokens)),
      topk_ids({max_tokens, std::min(k, vocab_size)}),
      topk_logits({max_tokens, std::min(k, vocab_size)}) {}

void LogitsTable::add(const TapBlock& block) {
  if (block.what == TapKind::logits_top) {
    add_summaries(block);
    return;
  }
  const NdView<const float, 2> rows(block.floats().data(), {block.n_rows, block.n_cols});
  parallel_for(block.n_rows, [&](std::int64_t row) {
    const LogitsSummary summary = summarize_logits(rows.sub(row).span(), topk_ids.shape(1));
    const std::int64_t position = block.first_row + row;
    const auto t = static_cast<std::size_t>(position);
    argmax[t] = summary.argmax;
    argmax_logit[t] = summary.argmax_logit;
    logsumexp[t] = summary.logsumexp;
    std::ranges::copy(summary.topk_ids, topk_ids.sub(position).span().begin());
    std::ranges::copy(summary.topk_logits, topk_logits.sub(position).span().begin());
  });
}

void LogitsTable::add_summaries(const TapBlock& block) {
  const auto k = static_cast<std::size_t>(topk_ids.shape(1));
  assert(block.n_cols == static_cast<std::int64_t>(3 + 2 * k));
  const NdView<const float, 2> rows(block.floats().data(), {block.n_rows, block.n_cols});
  for (std::int64_t row = 0; row < block.n_rows; ++row) {
    const float* from = rows.sub(row).data();
    const std::int64_t position = block.first_row + row;
    const auto t = static_cast<std::size_t>(position);
    std::memcpy(&argmax[t], from, sizeof argmax[t]);
    argmax_logit[t] = from[1];
    logsumexp[t] = from[2];
    std::memcpy(topk_ids.sub(position).data(), from + 3, k * sizeof(std::int32_t));
    std::copy_n(from + 3 + k, k, topk_logits.sub(position).data());
  }
}

}  // namespace qaq
