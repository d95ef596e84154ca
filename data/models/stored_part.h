#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/model/model_source.h"

namespace qaq {

/// How a checkpoint stores query, key and value: apart, or as the outputs of one matrix, all of
/// each kind together or the three of a head together.
enum class FusedOrder { apart, blocks, heads };

/// How the projections of a checkpoint lie in its tensors.
struct StoredOrder {
  FusedOrder query_key_value = FusedOrder::apart;
  bool transposed = false;  ///< matrices are (in, out), as GPT-2's Conv1D has them

  /// Whether a weight is other bytes than its tensor's.
  bool moves(WeightRole role) const;
  /// (rows, cols) of the tensor that a weight is, or is a part of.
  std::pair<std::int64_t, std::int64_t> stored_shape(WeightRole role,
                                                     const ModelShape& shape) const;
  /// The bytes of a weight that moves, as weight_shape() has it, out of its tensor, which has
  /// stored_shape(). Types are such as have one number a block. Keys are as many as queries where
  /// the three are stored together.
  std::vector<std::byte> take(WeightRole role, const WeightView& stored,
                              const ModelShape& shape) const;
};

}  // namespace qaq
