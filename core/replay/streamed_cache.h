#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/quant/packed_bytes.h"
#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"
#include "core/quant/unit_values.h"
#include "core/replay/link_model.h"
#include "core/replay/streaming_params.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What a plan changed of one cache.
struct CacheChanges {
  std::int64_t promotions = 0;  ///< units that got more bits, from the host's copy
  std::int64_t demotions = 0;   ///< units that got fewer, those quantized at last among them
  std::int64_t fetched = 0;     ///< units that came from the host
  std::int64_t requantized_values = 0;
  Transfers h2d;

  CacheChanges& operator+=(const CacheChanges& other);
};

/// Keys or values as a serving system's device holds them while it decodes. Units are quantized,
/// and quantized again, in place; the exact ones are the host's copy. A unit comes to the device
/// unquantized; the first plan that knows it quantizes it at once, without a transfer.
///
/// A unit that is demoted on the device (demote_from gpu) lies on the grid of its own statistics at
/// its new bits: what scale and base that it stores say of its range. So only its values carry what
/// they lost before; outliers stay exact.
class StreamedCache {
 public:
  /// `exact` are all layers, (n_kv_heads, T, D), `stats` those of all units of T tokens (empty at
  /// no-quantization); both outlive it. `shape` is (n_layers, n_kv_heads, T, D). All T tokens are
  /// there.
  StreamedCache(std::span<const CacheLayer> exact, std::span<const UnitStats> stats,
                const CacheShape& shape, const StreamingParams& params);
  /// The same with room for T tokens of which none is there yet.
  static StreamedCache empty(std::span<const CacheLayer> exact, std::span<const UnitStats> stats,
                             const CacheShape& shape, const StreamingParams& params);

  /// The exact values of tokens [first, end) came to the device, whatever it held there.
  void append(std::int64_t first, std::int64_t end);
  /// Carries out a plan of the first n tokens, which are there; n is never less than before. In
  /// parallel over units. A rival's format quantizes from exact values the rows that it has not
  /// quantized before, which is a demotion of each; what is evicted is left alone, and its bytes
  /// go. Throws Error{usage} where a format does not fix its rows (CacheCodec::rows_depend_on()).
  CacheChanges follow(const Plan& plan);
  /// Calls body(layer, kv_head, token) for every row that the last plan quantized.
  void for_changed_rows(
      const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& body) const;

  /// (n_kv_heads, T, D): what the device holds; tokens behind the last plan are exact.
  NdView<const float, 3> layer(std::int64_t layer) const { return values_.sub(layer); }
  /// What units were quantized by last, for the tokens of the last plan.
  const Plan& held() const { return held_; }
  /// Packed bytes of the device's first `n_tokens` tokens in a float16 cache: section 6 for
  /// quantized ones, float16 for those behind the last plan.
  std::int64_t resident_bytes(std::int64_t n_tokens) const;
  /// The quantized ones' by part.
  const PackedBytes& packed_bytes() const { return packed_; }
  /// Mean bits of units that are quantized and left, of a rival's format of rows; 0: there are
  /// none.
  double mean_bits() const;
  /// Transfers that a token's values take on their way to the host, by fetch_granularity.
  std::int64_t transfers_per_token() const;

 private:
  /// What a unit is quantized from: the device's values on the grid of its exact statistics, the
  /// host's, or the device's on a grid of their own.
  enum class Source { device, host, history };
  struct Change {
    std::size_t unit = 0;
    Source source = Source::device;
  };
  struct Row {
    std::int64_t layer = 0, head = 0, token = 0;
  };
  struct Empty {};
  StreamedCache(std::span<const CacheLayer> exact, std::span<const UnitStats> stats,
                const CacheShape& shape, const StreamingParams& params, Empty);
  CacheChanges follow_codec();
  void quantize(const Change& change);
  void quantize_history(std::size_t unit);
  Transfers fetch(std::span<const Change> changes) const;

  std::span<const CacheLayer> exact_;
  std::span<const UnitStats> stats_;
  StreamingParams params_;
  std::int64_t values_per_token_ = 0;
  NdArray<float, 4> values_;  // (n_layers, n_kv_heads, T, D)
  Plan held_;
  PackedBytes packed_;                     // of held_
  std::vector<int> n_below_;               // successive plans below what each unit holds
  std::vector<Change> changes_;            // of the last plan
  std::vector<Row> rows_;                  // the same of a rival's format
  NdArray<std::uint8_t, 3> is_quantized_;  // (n_layers, n_kv_heads, T), by a rival's format
};

}  // namespace qaq
