#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/quant/packed_cache.h"
#include "core/quant/quantize.h"

namespace qaq {

/// Reads a packed cache back. What packing made reads as quantize_layer() gives it, bit for bit
/// (where scales are float16, quantized with scales rounded to it).
class Unpacker {
 public:
  /// `packed` outlives the unpacker. Walks all units once and trusts nothing: throws Error{input}
  /// naming part and unit where sizes do not fit, an offset, place or count is out of range, bits
  /// are above 16 or a number is not finite. Allocates no more than a small multiple of what is
  /// there.
  explicit Unpacker(const PackedCache& packed);

  /// Bits of each unit, in the order of UnitLayout; empty for an exact cache.
  const std::vector<std::uint8_t>& n_bits() const { return n_bits_; }
  /// Outliers of all units.
  std::int64_t n_outliers() const { return n_outliers_; }
  /// Fills values and, where asked for, outliers of a layer. In parallel over tokens.
  void layer(std::int64_t layer, const QuantizedLayer& out) const;

 private:
  void check_sizes() const;
  void walk();
  void check_places(std::size_t unit, const UnitPlace& at, const UnitCounts& own) const;
  void check_numbers(PackedPart part, DType dtype) const;
  void require_size(PackedPart part, std::int64_t n_bytes) const;
  std::int64_t outliers_of(std::size_t unit, const UnitPlace& at) const;
  void copy_exact(std::size_t unit, std::span<float> row) const;
  void unpack_row(std::size_t unit, std::int64_t first, std::span<float> row) const;
  void put_outliers(std::size_t unit, std::int64_t first, std::span<float> row,
                    std::span<std::uint8_t> mask) const;
  [[noreturn]] void refuse(PackedPart part, std::int64_t unit, const std::string& what) const;

  const PackedCache& packed_;
  UnitLayout layout_;
  std::vector<UnitPlace> places_;
  std::vector<std::uint8_t> n_bits_;
  std::vector<std::int32_t> n_outliers_of_;
  std::int64_t n_outliers_ = 0;
};

}  // namespace qaq
