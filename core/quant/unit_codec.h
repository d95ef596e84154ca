#pragma once

#include <array>
#include <cstdint>

#include "core/quant/arith.h"
#include "core/quant/normal_codebook.h"
#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_stats.h"

namespace qaq {

/// What a packed unit stores beside its codes, n_numbers() of them:
///
///   0 bits               what every inlier becomes
///   uniform              the grid's base and its scale; scale 0: all inliers become the base
///   uniform, symmetric   mean_centred: the scale (the base is 0); else the base, from which the
///                        scale follows, or in float16 the scale, from which the base follows
///   normal               mean and deviation; symmetric: the deviation (the mean is 0)
using StoredNumbers = std::array<float, 2>;
StoredNumbers stored_numbers(const QuantizerSpec& spec, const UnitStats& stats, int n_bits);

/// A unit's inliers as codes 0 .. 2^n_bits - 1: of the grid, counted from its lowest, or cells of
/// the codebook. The codes that quantize_layer() goes through.
class UnitEncoder {
 public:
  UnitEncoder(const QuantizerSpec& spec, const UnitStats& stats, int n_bits);

  std::uint32_t code(float inlier) const {
    if (book_) return deviation_ > 0 ? book_->cell((inlier - mean_) / deviation_) : 0;
    return static_cast<std::uint32_t>(encode(grid_, inlier) - grid_.lowest);
  }

 private:
  UniformGrid grid_;
  const NormalCodebook* book_ = nullptr;
  float mean_ = 0;
  float deviation_ = 0;
};

/// What a unit's codes stand for, from the numbers that it stores: bit for bit what
/// quantize_layer() gives.
class UnitDecoder {
 public:
  UnitDecoder(const QuantizerSpec& spec, const StoredNumbers& numbers, int n_bits);

  float value(std::uint32_t code) const {
    if (book_) return book_->centre[code] * deviation_ + mean_;
    return decode(grid_, static_cast<float>(code) + grid_.lowest);
  }

 private:
  UniformGrid grid_;
  const NormalCodebook* book_ = nullptr;
  float mean_ = 0;
  float deviation_ = 0;
};

}  // namespace qaq
