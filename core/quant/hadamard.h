#pragma once

#include <span>

#include "core/tensor/nd_array.h"

namespace qaq {

/// Throws Error{usage} where head_dim is no power of two.
void require_hadamard(std::int64_t head_dim);

/// Multiplies each row (n_rows, D) by the Hadamard matrix of D over sqrt(D), in place (Sylvester's
/// order, float32): orthonormal, so that q.k of rotated queries and keys is what it was, to
/// rounding, and its own inverse. Quantizing rotated rows spreads what one channel loses over all
/// (section 8 of the mathematics, q8_0 / q4_0, rotate). Throws as require_hadamard(). On the
/// calling thread.
void rotate_hadamard(const NdView<float, 2>& rows);

}  // namespace qaq
