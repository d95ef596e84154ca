#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qaq {

/// The quantile of the standard normal distribution: x with P(X <= x) = p, 0 < p < 1, to a few
/// units in the last place. By Halley's iteration on erf and erfc.
double normal_quantile(double p);

/// The authors' quantizer for normally distributed values, in units of the standard deviation:
/// 2^n_bits cells of equal probability, each standing for its median. Cell i reaches up to
/// upper[i] = quantile((i + 1) / 2^n_bits), the last one to infinity; centre[i] =
/// quantile((i + 1/2) / 2^n_bits).
struct NormalCodebook {
  std::vector<float> upper;
  std::vector<float> centre;

  /// The first cell with upper >= z.
  std::uint32_t cell(float z) const;
  /// Its centre.
  float nearest(float z) const { return centre[cell(z)]; }
};

/// The codebook for n_bits 0..16; made when first asked for, then shared. Thread safe.
const NormalCodebook& normal_codebook(int n_bits);

}  // namespace qaq
