#include "core/quant/packed_index.h"

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/quant/arith.h"
#include "core/quant/bitmap.h"
#include "core/quant/little_endian.h"

namespace qaq {
namespace {

constexpr const char* kCure = "the file is damaged; pack the capture again";

[[noreturn]] void refuse_place(const std::string& place, const std::string& what) {
  refuse_input({.place = place, .what = what, .cure = kCure});
}

// Extents of at least 1 whose product is a count of values that memory can hold.
void check_shape(const CacheShape& shape) {
  constexpr std::int64_t kMostValues = std::int64_t{1} << 48;
  std::int64_t n = 1;
  for (const std::int64_t extent :
       {shape.n_layers, shape.n_kv_heads, shape.n_tokens, shape.head_dim}) {
    if (extent < 1 || extent > kMostValues / n) {
      refuse_place("shape", cat("an extent of ", extent, " is out of range"));
    }
    n *= extent;
  }
}

}  // namespace

PackedIndex::PackedIndex(const PackedCache& packed) : packed_(packed) {
  check_shape(packed.shape);
  layout_ = packed.layout();
  check_sizes();
  if (!packed.keeps_all()) walk();
  check_numbers(PackedPart::scales, packed.format.scale_dtype());
  check_numbers(PackedPart::outlier_values, packed.format.dtype);
  if (packed.keeps_all()) check_numbers(PackedPart::payload, packed.format.dtype);
}

void PackedIndex::refuse(PackedPart part, std::int64_t unit, const std::string& what) const {
  refuse_place(cat(kPackedPartNames[static_cast<std::size_t>(part)], ", unit ", unit), what);
}

void PackedIndex::require_size(PackedPart part, std::int64_t n_bytes) const {
  const std::size_t size = packed_.part(part).size();
  if (static_cast<std::int64_t>(size) == n_bytes) return;
  refuse_place(std::string(kPackedPartNames[static_cast<std::size_t>(part)]),
               cat("holds ", size, " bytes where the shape makes ", n_bytes));
}

// Afterwards each unit stands for at least a byte that is there.
void PackedIndex::check_sizes() const {
  if (packed_.n_bits < 0 || packed_.n_bits > kMaxBits) {
    refuse_place("n_bits", cat(packed_.n_bits, " bits are above ", kMaxBits));
  }
  if (layout_.unit_size() > std::numeric_limits<std::int32_t>::max()) {
    refuse_place("shape", cat("a unit of ", layout_.unit_size(), " values is out of range"));
  }
  const std::int64_t n_units = packed_.keeps_all() ? 0 : layout_.n_units();
  const bool outliers = packed_.quantizer.may_have_outliers(), vary = packed_.n_bits_vary;
  require_size(PackedPart::outlier_counts, outliers ? 2 * n_units : 0);
  require_size(PackedPart::bit_map, vary ? n_units : 0);
  require_size(PackedPart::offsets, vary ? 4 * n_units : 0);
  if (packed_.keeps_all()) {
    require_size(PackedPart::payload, packed_.shape.n_values() * packed_.format.value_bytes());
    require_size(PackedPart::scales, 0);
  } else if (!outliers && !vary) {
    const UnitCounts unit{layout_.unit_size(), packed_.n_bits, 0};
    require_size(PackedPart::scales,
                 n_units * n_numbers(packed_.quantizer, unit) * packed_.format.scale_bytes);
  }
}

void PackedIndex::walk() {
  const auto n_units = static_cast<std::size_t>(layout_.n_units());
  places_.reserve(n_units);
  n_bits_.reserve(n_units);
  n_outliers_of_.reserve(n_units);
  const PackedBytes sizes = packed_.bytes();
  UnitPlace at;
  for (std::size_t unit = 0; unit < n_units; ++unit) {
    const auto number = static_cast<std::int64_t>(unit);
    UnitCounts own{layout_.unit_size(), packed_.n_bits, 0};
    if (packed_.n_bits_vary) {
      own.n_bits = packed_.part(PackedPart::bit_map)[unit];
      if (own.n_bits > kMaxBits) {
        refuse(PackedPart::bit_map, number, cat(own.n_bits, " bits are above ", kMaxBits));
      }
      const std::uint8_t* offset = packed_.part(PackedPart::offsets).data() + 4 * unit;
      if (load_integer(offset, 4) != at.payload) {
        refuse(PackedPart::offsets, number,
               cat("offset ", load_integer(offset, 4), " is not ", at.payload));
      }
    }
    own.n_outliers = outliers_of(unit, at);
    const UnitPlace next = at.behind(unit_bytes(packed_.quantizer, packed_.format, own));
    if (next.payload > sizes.payload) refuse(PackedPart::payload, number, "lies behind the end");
    if (next.scales > sizes.scales) refuse(PackedPart::scales, number, "lies behind the end");
    if (next.outlier_values > sizes.outlier_values) {
      refuse(PackedPart::outlier_values, number, "lies behind the end");
    }
    if (next.outlier_indices > sizes.outlier_indices) {
      refuse(PackedPart::outlier_indices, number, "lies behind the end");
    }
    check_places(unit, at, own);
    places_.push_back(at);
    n_bits_.push_back(static_cast<std::uint8_t>(own.n_bits));
    n_outliers_of_.push_back(static_cast<std::int32_t>(own.n_outliers));
    n_outliers_ += own.n_outliers;
    at = next;
  }
  require_size(PackedPart::payload, at.payload);
  require_size(PackedPart::scales, at.scales);
  require_size(PackedPart::outlier_values, at.outlier_values);
  require_size(PackedPart::outlier_indices, at.outlier_indices);
}

std::int64_t PackedIndex::outliers_of(std::size_t unit, const UnitPlace& at) const {
  if (!packed_.quantizer.may_have_outliers()) return 0;
  const std::int64_t n = layout_.unit_size();
  const auto number = static_cast<std::int64_t>(unit);
  std::int64_t count = load_integer(packed_.part(PackedPart::outlier_counts).data() + 2 * unit, 2);
  if (count == kUncounted) {
    const std::vector<std::uint8_t>& indices = packed_.part(PackedPart::outlier_indices);
    if ((n + 7) / 8 > static_cast<std::int64_t>(indices.size()) - at.outlier_indices) {
      refuse(PackedPart::outlier_indices, number, "lies behind the end");
    }
    count = count_ones(indices.data() + at.outlier_indices, n);
    if (count < kUncounted) {
      refuse(PackedPart::outlier_counts, number, cat("its bitmap has ", count, " outliers only"));
    }
  }
  if (count > n) {
    refuse(PackedPart::outlier_counts, number,
           cat(count, " outliers are more than its ", n, " values"));
  }
  return count;
}

void PackedIndex::check_places(std::size_t unit, const UnitPlace& at, const UnitCounts& own) const {
  const std::uint8_t* indices =
      packed_.part(PackedPart::outlier_indices).data() + at.outlier_indices;
  const auto number = static_cast<std::int64_t>(unit);
  if (told_by_bitmap(packed_.format, own)) {
    const std::int64_t all = (own.n_values + 7) / 8 * 8;
    if (count_ones(indices, own.n_values) != own.n_outliers ||
        count_ones(indices, all) != own.n_outliers) {
      refuse(PackedPart::outlier_indices, number,
             cat("its bitmap does not have ", own.n_outliers, " outliers"));
    }
    return;
  }
  const std::int64_t place_bytes = index_bytes(own.n_values);
  std::int64_t last = -1;
  for (std::int64_t k = 0; k < own.n_outliers; ++k) {
    const std::int64_t place = load_integer(indices + k * place_bytes, place_bytes);
    if (place <= last || place >= own.n_values) {
      refuse(PackedPart::outlier_indices, number,
             cat("place ", place, " is out of order or range"));
    }
    last = place;
  }
}

void PackedIndex::check_numbers(PackedPart part, DType dtype) const {
  const std::vector<std::uint8_t>& bytes = packed_.part(part);
  const auto step = static_cast<std::size_t>(bytes_of(dtype));
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    if (!std::isfinite(load_number(bytes.data() + at, dtype))) {
      refuse_place(cat(kPackedPartNames[static_cast<std::size_t>(part)], ", byte ", at),
                   "is no finite number");
    }
  }
}

}  // namespace qaq
