#pragma once

#include "core/quant/plan.h"

namespace qaq {

/// The paper's size of a quantized cache: average bits, outliers at the ratio asked for, one or two
/// numbers a unit; no indices, no bit map (arXiv 2403.04643, and the authors' `Quantizer`).
struct NominalSize {
  double mean_bits = 0;       ///< of the units, rounded to float32; of an exact cache dtype_bits
  double average_n_bits = 0;  ///< with the outliers' share: mean (1 - r) + dtype_bits r
  double size_per_token_bits = 0;  ///< of all layers, with scales
};

/// `dtype_bits` is what an unquantized number counts: 16 or 32. A rival's format counts as its
/// bytes, scales among them. Means are of what is left where tokens are evicted, the size is of
/// all.
NominalSize nominal_size(const Plan& plan, int dtype_bits);

}  // namespace qaq
