#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/evaluate/mixed_run.h"
#include "core/policy/bit_choice.h"
#include "core/policy/qaq_params.h"
#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"
#include "core/replay/explain.h"
#include "core/replay/planner.h"

namespace qaq {

/// Bits of a value that is left exact, as sizes count them.
inline constexpr double kExactBits = 16;

/// What a setting decided for one cache, unit by unit. Each vector is (plan.layout.n_units()); all
/// are empty where nothing is quantized.
struct SettingSide {
  CacheSide side = CacheSide::key;
  QaqSideParams params{};
  ImportanceRows rows = ImportanceRows::window;  ///< that importance was taken from
  Plan plan{};
  BitRule rule{};
  std::vector<UnitStats> stats{};
  std::vector<UnitFacts> facts{};    ///< without measured errors
  std::vector<BitChoice> choices{};  ///< what the rule gave; n_bits is the plan's

  bool quantizes() const { return !plan.keeps_all(); }
  std::size_t unit(std::int64_t layer, std::int64_t kv_head, std::int64_t token) const {
    return static_cast<std::size_t>(plan.layout.unit(layer, kv_head, token));
  }
};

/// Both caches of one prefix under one setting, carried out.
struct SettingCache {
  std::array<SettingSide, 2> sides;  ///< keys, values
  CacheSource source;

  const SettingSide& side(CacheSide which) const { return sides[static_cast<std::size_t>(which)]; }
  /// Bits that a value of this row takes, outliers at 16 among them; 16 where it is left exact.
  double bits_per_value(const CellAddress& cell) const;
  /// Its values (D) as they are read again. Layers count captured ones.
  std::span<const float> row(const CellAddress& cell) const;
};

/// How a setting differs from the one that it is held against.
struct SettingChange {
  QaqParams params;
  ImportanceRows rows = ImportanceRows::window;
  /// (n_layers, n_kv_heads), squared 2-norms of queries that stand for the assumed one; null: none.
  const NdArray<float, 2>* q_norm = nullptr;
  bool forces_newest = true;  ///< the newest tokens get n_bits_max, else what they ask for
  bool keeps_bits = false;    ///< those of the setting stay, whatever the parameters say
};

/// Quantizes the first tokens of a capture by one setting after the other.
class SettingQuantizer {
 public:
  /// The capture outlives it.
  SettingQuantizer(const CaptureView& capture, std::int64_t n_prefix)
      : capture_(capture),
        n_prefix_(n_prefix),
        known_(capture, ImportanceRows::window),
        future_(capture, ImportanceRows::replayed) {}

  /// Changes what was decided for a cache, before it is carried out; may be empty.
  using Fault = std::function<void(SettingSide&)>;

  SettingCache quantize(const SettingChange& change, const Work& work, const Fault& fault = {});
  /// The same with the bits of `setting` where the change keeps bits; its units are the same.
  SettingCache requantize(const SettingChange& change, const SettingCache& setting,
                          const Work& work, const Fault& fault = {});

 private:
  SettingSide decide(CacheSide side, const SettingChange& change, const Work& work);

  const CaptureView& capture_;
  std::int64_t n_prefix_;
  Planner known_, future_;
};

}  // namespace qaq
