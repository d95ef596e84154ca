#include "data/capture/logits_table.h"

#include <algorithm>
#include <cstddef>

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

}  // namespace qaq
