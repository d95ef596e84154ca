#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/quant/packed_cache.h"
#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"

namespace qaq {

/// Packs a cache layer by layer, so that no more than one layer of it need be in memory, at level
/// token too: what each unit takes follows from the plan and the statistics before any value is
/// seen. Same input, same bytes, whatever the thread count.
class Packer {
 public:
  /// `plan` and `stats` (one a unit; empty where the plan keeps all) outlive the packer. Throws
  /// Error{usage} where the codes take more than offsets of 4 bytes reach.
  Packer(const Plan& plan, std::span<const UnitStats> stats, const PackedFormat& format);

  /// Packs layer `layer` (its place in the cache), once each, in ascending order. Its values are
  /// those that the statistics were made of and exact in the format's type. In parallel over
  /// tokens.
  void add_layer(std::int64_t layer, const CacheLayer& input);
  /// The packed cache, once every layer was added.
  PackedCache finish();

 private:
  void lay_out();
  void lay_out_unit(std::size_t unit, const UnitPlace& at);
  void pack_row(std::size_t unit, std::int64_t first, std::span<const float> row);
  void keep_outliers(std::size_t unit, std::int64_t first, std::span<const float> row);
  UnitCounts counts(std::size_t unit) const;

  const Plan& plan_;
  std::span<const UnitStats> stats_;
  PackedCache packed_;
  std::vector<UnitPlace> places_;
  std::vector<std::int32_t> n_kept_;  // outliers of each unit that were written so far
};

}  // namespace qaq
