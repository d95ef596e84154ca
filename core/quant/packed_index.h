#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/quant/packed_cache.h"

namespace qaq {

/// Where each unit of a packed cache lies, found by walking all of them once. Trusts nothing:
/// throws Error{input} naming part and unit where sizes do not fit, an offset, place or count is
/// out of range, bits are above 16 or a number is not finite. Allocates no more than a small
/// multiple of what is there.
class PackedIndex {
 public:
  /// `packed` outlives the index.
  explicit PackedIndex(const PackedCache& packed);

  const UnitLayout& layout() const { return layout_; }
  /// Bits of each unit, in the order of UnitLayout; empty for an exact cache.
  const std::vector<std::uint8_t>& n_bits() const { return n_bits_; }
  /// Outliers of all units.
  std::int64_t n_outliers() const { return n_outliers_; }
  const UnitPlace& place(std::size_t unit) const { return places_[unit]; }
  UnitCounts counts(std::size_t unit) const {
    return {layout_.unit_size(), n_bits_[unit], n_outliers_of_[unit]};
  }

 private:
  void check_sizes() const;
  void walk();
  void check_places(std::size_t unit, const UnitPlace& at, const UnitCounts& own) const;
  void check_numbers(PackedPart part, DType dtype) const;
  void require_size(PackedPart part, std::int64_t n_bytes) const;
  std::int64_t outliers_of(std::size_t unit, const UnitPlace& at) const;
  [[noreturn]] void refuse(PackedPart part, std::int64_t unit, const std::string& what) const;

  const PackedCache& packed_;
  UnitLayout layout_;
  std::vector<UnitPlace> places_;
  std::vector<std::uint8_t> n_bits_;
  std::vector<std::int32_t> n_outliers_of_;
  std::int64_t n_outliers_ = 0;
};

}  // namespace qaq
