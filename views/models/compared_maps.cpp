#include "views/models/compared_maps.h"

#include <algorithm>

#include "core/analysis/heatmap_tile.h"

namespace qaq::views {
namespace {

SharedHeatmap mapOf(const SharedAnalysis& analysis, const SharedSlice& slice, CompareOf of,
                    CacheSide side) {
  if (of == CompareOf::bits) return analysis->side(side).bits;
  if (!slice) return nullptr;
  return of == CompareOf::magnitude ? slice->magnitude : slice->attention;
}

// Tokens behind the common prefix are others: they have no difference.
SharedHeatmap differenceOf(const ComparedMaps& maps, std::int64_t n_tokens) {
  Heatmap map = difference_map(*maps.a, *maps.b);
  const bool bySteps = maps.of == CompareOf::attention;
  for (std::int64_t row = 0; n_tokens < map.columns() && row < map.rows(); ++row) {
    const std::int64_t possible = bySteps && row >= n_tokens ? 0 : n_tokens;
    map.limit_row(row, {0, static_cast<std::int32_t>(possible)});
  }
  return std::make_shared<const Heatmap>(std::move(map));
}

}  // namespace

SharedComparedMaps loadComparedMaps(const SharedSlice& slice, CompareOf of) {
  const Against& against = *slice->against;
  auto out = std::make_shared<ComparedMaps>();
  out->slice = slice;
  out->of = of;
  out->a = mapOf(against.analysis, against.slice, of, slice->slice.side);
  out->b = mapOf(slice->analysis, slice, of, slice->slice.side);
  for (const SharedHeatmap& map : {out->a, out->b}) {
    if (map) out->largest = std::max(out->largest, double{largest_value(*map).value_or(0)});
  }
  if (out->a && out->b && against.alignment.allowed()) {
    out->difference = differenceOf(*out, against.alignment.n_tokens);
    out->counts = difference_counts(*out->difference);
  }
  return out;
}

}  // namespace qaq::views
