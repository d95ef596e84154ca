#pragma once

#include <cstdint>

namespace qaq {

/// Which tokens KIVI (arXiv 2402.02750) has quantized, of `n_tokens` cached ones, for a residual of
/// R = residual_length tokens: always the oldest. They do not depend on how many of the tokens were
/// a prompt and how many came one by one.

/// Of keys, groups of whose tokens share a scale: n_tokens - (n_tokens mod R). After a prompt that
/// many are quantized; the rest grows and is quantized whole when it holds R.
inline std::int64_t kivi_quantized_keys(std::int64_t n_tokens, std::int64_t residual_length) {
  return n_tokens - n_tokens % residual_length;
}

/// Of values: all but the newest R. A step quantizes the oldest of R + 1.
inline std::int64_t kivi_quantized_values(std::int64_t n_tokens, std::int64_t residual_length) {
  return n_tokens > residual_length ? n_tokens - residual_length : 0;
}

/// Throws Error{usage} where groups of group_size tokens do not fill a residual, or where groups of
/// min(group_size, head_dim) channels do not fill a row.
void require_kivi_groups(std::int64_t group_size, std::int64_t residual_length,
                         std::int64_t head_dim);

}  // namespace qaq
