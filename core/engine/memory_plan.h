#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model_spec.h"

namespace qaq {

/// How much an engine must be able to hold.
struct EngineLimits {
  std::int64_t max_tokens = 0;  ///< positions in the KV cache
  std::int64_t max_batch = 0;   ///< rows of the largest forward pass (the prompt)
};

struct MemoryItem {
  std::string name;  ///< "weights", "cache", "activations" ...
  std::int64_t bytes = 0;
};

struct MemoryPlan {
  std::vector<MemoryItem> items;
  std::int64_t total() const;
};

/// What a float32 engine allocates for a model of this shape: a pure function, to be asked before
/// anything is allocated.
MemoryPlan plan_memory(const ModelSpec& spec, const EngineLimits& limits);

/// Throws Error{work} where the plan needs more than `available_bytes`: the message lists the parts
/// and says what to reduce.
void require_memory(const MemoryPlan& plan, const EngineLimits& limits,
                    std::int64_t available_bytes);

/// Rows of scores and logits that the float32 engine makes at a time.
std::int64_t logits_block_rows(const ModelShape& shape);
/// Query heads whose scores of a whole batch fit the attention buffer, at least 1.
std::int64_t attention_block_heads(const ModelShape& shape, std::int64_t n_rows,
                                   std::int64_t n_keys);

}  // namespace qaq
