#include "core/analysis/cell_fate.h"

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/analysis/maps.h"

namespace qaq {
namespace {

CellFate::Kind kind_of(const ReplayResult& result, const CellAddress& cell, int bits) {
  if (cell.token >= result.prefix) return CellFate::Kind::behind;
  if (bits == CacheReplay::kEvicted) return CellFate::Kind::evicted;
  return bits >= exact_from(result, cell.side) ? CellFate::Kind::exact : CellFate::Kind::coded;
}

}  // namespace

CellFate cell_fate(const CaptureInfo& info, const ReplayResult& result, const CellAddress& cell) {
  const std::int64_t layer = checked_layer(info, cell);
  const CacheReplay& cache = cell.side == CacheSide::key ? result.key : result.value;
  CellFate out{.cell = cell, .token_text = {}, .prefix = result.prefix};
  if (!info.token_text.empty()) {
    out.token_text = info.token_text[static_cast<std::size_t>(cell.token)];
  }
  out.packed_bytes = cache.packed.total();
  out.nominal_bits = cache.average_n_bits;
  out.kept_share = static_cast<double>(cache.n_kept) / static_cast<double>(cache.n_values);
  const int bits = cache.bits(layer, cell.kv_head, cell.token);
  out.kind = kind_of(result, cell, bits);
  if (out.kind != CellFate::Kind::coded) return out;
  out.n_bits = bits;
  if (cache.error.empty()) return out;
  out.rms_error = std::sqrt(double{cache.error(layer, cell.kv_head, cell.token)});
  for (const std::uint8_t byte : cache.outliers.sub(layer, cell.kv_head, cell.token).span()) {
    out.n_outliers += std::popcount(byte);
  }
  return out;
}

nlohmann::ordered_json fate_json(const CellFate& fate) {
  const bool is_coded = fate.kind == CellFate::Kind::coded;
  nlohmann::ordered_json out{
      {"cell",
       {{"cache", name_of(fate.cell.side)},
        {"layer", fate.cell.layer},
        {"kv_head", fate.cell.kv_head},
        {"token", fate.cell.token},
        {"text", fate.token_text}}},
      {"prefix", fate.prefix},
      {"fate", ChoiceNames<CellFate::Kind>::names[static_cast<std::size_t>(fate.kind)]},
      {"bits", nullptr},
      {"outliers_in_cell", fate.n_outliers},
      {"rms_error", nullptr},
      {"cache",
       {{"packed_bytes", fate.packed_bytes},
        {"average_n_bits", fate.nominal_bits},
        {"kept_share", fate.kept_share}}}};
  if (is_coded) out["bits"] = {{"n_bits", fate.n_bits}};
  if (fate.rms_error) out["rms_error"] = *fate.rms_error;
  return out;
}

}  // namespace qaq
