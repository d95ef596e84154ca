#pragma once

#include <cstdint>

#include "core/model/model_spec.h"

namespace qaq {

/// Floating-point operations of one token (a multiplication and an addition count two), in the
/// matrix products alone.
struct TokenOperations {
  std::int64_t attention = 0;  ///< projections of query, key, value and output; scores and mixing
  std::int64_t feed_forward = 0;  ///< gate, up and down
  std::int64_t head = 0;          ///< logits
  std::int64_t total() const { return attention + feed_forward + head; }
};

/// Of one token that attends to `n_keys` keys (itself among them; a layer's window cuts it).
TokenOperations token_operations(const ModelSpec& spec, std::int64_t n_keys);

/// Mean over the tokens of a prompt of `n_tokens`, with logits of the last one alone.
TokenOperations prefill_operations(const ModelSpec& spec, std::int64_t n_tokens);

/// Bytes that one token's keys and values take in all layers, at `bytes_per_number` (2 for f16).
std::int64_t cache_bytes_per_token(const ModelSpec& spec, std::int64_t bytes_per_number);

/// Weights of the model, counted once where they are tied.
std::int64_t parameter_count(const ModelSpec& spec);

}  // namespace qaq
