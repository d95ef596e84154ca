#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model_source.h"
#include "core/model/model_spec.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// How much an engine must be able to hold, and how.
struct EngineLimits {
  std::int64_t max_tokens = 0;      ///< positions in the KV cache
  std::int64_t max_batch = 0;       ///< rows of the largest forward pass (the prompt)
  bool dequantize_weights = false;  ///< hold weights as float32 instead of as stored
  /// What weights, inputs of products and the cache are held as where the backend has a choice. The
  /// CPU computes in float32 whatever this says.
  DType dtype = DType::f32;
  bool tapped = true;  ///< runs may be given taps
};

struct MemoryItem {
  std::string name;  ///< "weights", "cache", "activations" ...
  std::int64_t bytes = 0;
};

struct MemoryPlan {
  std::vector<MemoryItem> items;
  std::int64_t total() const;
};

/// What a float32 engine needs for a model of this shape whose weights take `weight_bytes`: a pure
/// function, to be asked before anything is allocated.
MemoryPlan plan_memory(const ModelSpec& spec, const EngineLimits& limits,
                       std::int64_t weight_bytes);

/// Bytes of all weights: as stored, or as float32 where the limits say so. A tied head counts once.
std::int64_t weight_bytes(const ModelSource& model, const EngineLimits& limits);

/// Throws Error{work} where the plan needs more than `available_bytes`: the message lists the parts
/// and says what to reduce.
void require_memory(const MemoryPlan& plan, const EngineLimits& limits,
                    std::int64_t available_bytes);

/// Bytes of a block of scores or logits, but for a single row that alone has more: large enough
/// that a product runs at full speed, small enough to stay beside the weights.
constexpr std::int64_t kTapBlockBytes = std::int64_t{32} << 20;

/// Rows of logits that the float32 engine makes at a time.
std::int64_t logits_block_rows(const ModelShape& shape);

/// Scores that are tapped at a time: all rows of some heads, or some rows of one where its rows
/// alone are too many.
struct AttentionBlock {
  std::int64_t n_heads = 1;
  std::int64_t n_rows = 1;
};
AttentionBlock attention_block(const ModelShape& shape, std::int64_t n_rows, std::int64_t n_keys);

/// Bytes of taps that may wait for their sink: three layers' worth, or less where one is large.
std::int64_t tap_pool_bytes(const ModelShape& shape, const EngineLimits& limits);

}  // namespace qaq
