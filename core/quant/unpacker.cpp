#include "core/quant/unpacker.h"

#include <algorithm>
#include <ranges>

#include "core/base/parallel.h"
#include "core/quant/bit_stream.h"
#include "core/quant/bitmap.h"
#include "core/quant/little_endian.h"
#include "core/quant/unit_codec.h"

namespace qaq {

void Unpacker::layer(std::int64_t layer, const QuantizedLayer& out) const {
  const CacheShape& shape = packed_.shape;
  const auto unpack_token = [&](std::int64_t token) {
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      const auto unit = static_cast<std::size_t>(index_.layout().unit(layer, head, token));
      const auto row = out.values.sub(head, token).span();
      std::span<std::uint8_t> mask;
      if (!out.outliers.empty()) {
        mask = out.outliers.sub(head, token).span();
        std::fill(mask.begin(), mask.end(), std::uint8_t{0});
      }
      if (packed_.keeps_all()) {
        copy_exact(unit, row);
      } else {
        unpack_row(unit, index_.layout().first_in_unit(layer, head), row);
        put_outliers(unit, index_.layout().first_in_unit(layer, head), row, mask);
      }
    }
  };
  constexpr std::int64_t kBlock = 64;
  parallel_for((shape.n_tokens + kBlock - 1) / kBlock, [&](std::int64_t i) {
    const std::int64_t end = std::min(shape.n_tokens, (i + 1) * kBlock);
    for (std::int64_t token = i * kBlock; token < end; ++token) unpack_token(token);
  });
}

void Unpacker::copy_exact(std::size_t unit, std::span<float> row) const {
  const std::int64_t value_bytes = packed_.format.value_bytes();
  const std::uint8_t* from = packed_.part(PackedPart::payload).data() +
                             static_cast<std::int64_t>(unit * row.size()) * value_bytes;
  for (float& x : row) {
    x = load_number(from, packed_.format.dtype);
    from += value_bytes;
  }
}

void Unpacker::unpack_row(std::size_t unit, std::int64_t first, std::span<float> row) const {
  const UnitCounts own = index_.counts(unit);
  if (own.n_outliers == own.n_values) return;
  StoredNumbers numbers{};
  const std::int64_t scale_bytes = packed_.format.scale_bytes;
  const std::uint8_t* from = packed_.part(PackedPart::scales).data() + index_.place(unit).scales;
  for (int i = 0; i < n_numbers(packed_.quantizer, own); ++i) {
    numbers[static_cast<std::size_t>(i)] =
        load_number(from + i * scale_bytes, packed_.format.scale_dtype());
  }
  const UnitDecoder decoder(packed_.quantizer, numbers, own.n_bits);
  BitReader codes(packed_.part(PackedPart::payload).data() + index_.place(unit).payload,
                  first * own.n_bits);
  for (float& x : row) x = decoder.value(codes.get(own.n_bits));
}

void Unpacker::put_outliers(std::size_t unit, std::int64_t first, std::span<float> row,
                            std::span<std::uint8_t> mask) const {
  const UnitCounts own = index_.counts(unit);
  if (own.n_outliers == 0) return;
  const std::uint8_t* indices =
      packed_.part(PackedPart::outlier_indices).data() + index_.place(unit).outlier_indices;
  const std::uint8_t* values =
      packed_.part(PackedPart::outlier_values).data() + index_.place(unit).outlier_values;
  const auto put = [&](std::int64_t k, std::int64_t channel) {
    row[static_cast<std::size_t>(channel)] =
        load_number(values + k * packed_.format.value_bytes(), packed_.format.dtype);
    if (mask.empty()) return;
    std::uint8_t& byte = mask[static_cast<std::size_t>(channel / 8)];
    byte = static_cast<std::uint8_t>(byte | 0x80u >> (channel % 8));
  };
  const auto n = static_cast<std::int64_t>(row.size());
  if (told_by_bitmap(packed_.format, own)) {
    std::int64_t k = count_ones(indices, first);
    for (std::int64_t channel = 0; channel < n; ++channel) {
      if (has_bit(indices, first + channel)) put(k++, channel);
    }
    return;
  }
  const std::int64_t place_bytes = index_bytes(own.n_values);
  const auto place = [&](std::int64_t k) -> std::int64_t {
    return load_integer(indices + k * place_bytes, place_bytes);
  };
  const auto all = std::views::iota(std::int64_t{0}, own.n_outliers);
  auto k = static_cast<std::int64_t>(std::ranges::lower_bound(all, first, {}, place) - all.begin());
  for (; k < own.n_outliers && place(k) < first + n; ++k) put(k, place(k) - first);
}

}  // namespace qaq
