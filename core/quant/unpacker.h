#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/quant/packed_index.h"
#include "core/quant/quantize.h"

namespace qaq {

/// Reads a packed cache back. What packing made reads as quantize_layer() gives it, bit for bit
/// (where scales are float16, quantized with scales rounded to it).
class Unpacker {
 public:
  /// `packed` outlives the unpacker. Throws Error{input} as PackedIndex does.
  explicit Unpacker(const PackedCache& packed) : packed_(packed), index_(packed) {}

  const PackedIndex& index() const { return index_; }
  /// Fills values and, where asked for, outliers of a layer. In parallel over tokens.
  void layer(std::int64_t layer, const QuantizedLayer& out) const;

 private:
  void copy_exact(std::size_t unit, std::span<float> row) const;
  void unpack_row(std::size_t unit, std::int64_t first, std::span<float> row) const;
  void put_outliers(std::size_t unit, std::int64_t first, std::span<float> row,
                    std::span<std::uint8_t> mask) const;

  const PackedCache& packed_;
  PackedIndex index_;
};

}  // namespace qaq
