#pragma once

#include <cstdint>
#include <span>

#include "core/model/model_source.h"
#include "core/tensor/page_buffer.h"

namespace qaq {

/// Whether `--prune-weights` takes from a weight of that role: the matrices of a layer's linear
/// maps. Norms, biases, embedding and head stay.
bool is_pruned_role(WeightRole role);

/// Sets floor(share * weights.size()) of the weights to 0: those of least magnitude, of equal ones
/// those at the lower indices. share is 0 to below 1.
void prune_smallest(std::span<float> weights, double share);

/// A matrix whose weights were pruned, with the memory that its bytes lie in.
struct PrunedWeight {
  PageBuffer bytes;
  WeightView view;
};
/// The matrix with a share of its weights at 0, rows and columns as `weight` has them. float32 and
/// 16-bit numbers stay what they are; weights in blocks, whose codes hold no 0, become float32,
/// which takes up to ten times their bytes. Throws Error{work} where there is no memory.
PrunedWeight pruned_weight(const WeightView& weight, double share);
/// Bytes that pruned_weight() takes.
std::int64_t pruned_bytes(const WeightView& weight);

}  // namespace qaq
