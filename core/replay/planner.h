#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/policy/cache_policy.h"
#include "core/replay/cache_replay.h"
#include "core/replay/capture_view.h"
#include "core/replay/importance_windows.h"
#include "core/replay/prefix_importance.h"

namespace qaq {

/// The prefix that is meant: 0 is all tokens. Throws Error{usage} where it is out of range,
/// Error{input} where the capture is empty.
std::int64_t checked_prefix(const CaptureInfo& info, std::int64_t prefix);

/// How many of the first `prefix` tokens the last plan met, where policies plan every so many; 0:
/// no plan was due yet.
std::int64_t planned_tokens(const PolicyNeeds& needs, std::int64_t prefix);

/// Which attention rows importance is the maximum of.
enum class ImportanceRows {
  window,   ///< the policy's last rows of the prefix
  replayed  ///< those that errors are measured on, as no policy can know them
};

/// Shows policies what they ask for of one capture, and keeps what changing parameters leave alone:
/// the statistics of each unit (of the last level, method, outlier rule and prefix), the
/// importance of each token (of the last reducer and prefix; see ImportanceWindows), query norms,
/// distances and measured errors. Holds 40 bytes a unit (68 more with measured errors) and no keys
/// or values. The capture outlives it. Views and plans of either side hold until the next view of
/// the same side.
class Planner {
 public:
  explicit Planner(const CaptureView& capture, ImportanceRows rows = ImportanceRows::window)
      : capture_(capture), rows_(rows), windows_(capture) {}

  /// What `policy` sees of the first `prefix` tokens. Throws Error{input} where the capture lacks
  /// what it asks for, with the cure.
  PolicyView view(const CachePolicy& policy, CacheSide side, std::int64_t prefix, const Work& work);
  /// Tokens behind the last plan are left exact (see planned_tokens()).
  PlannedCache plan(const CachePolicy& policy, CacheSide side, std::int64_t prefix,
                    const Work& work);
  /// Which of the first `prefix` tokens each KV head keeps when they are a prompt, (n_layers,
  /// n_kv_heads, prefix), 0 or 1; null where the policy evicts nothing. Errors as view().
  SharedArray<std::uint8_t, 3> kept(const CachePolicy& policy, std::int64_t prefix,
                                    const Work& work);

 private:
  struct HeldLayers {
    std::vector<SharedArray<float, 3>> layers;
    std::vector<CacheLayer> views;
  };
  struct KnownKept {
    std::int64_t prefix = -1;
    std::string policy;  ///< its name and parameters
    SharedArray<std::uint8_t, 3> tokens;
  };
  struct KnownStats {
    std::int64_t prefix = -1;
    QuantizerSpec spec;  // level, method and outliers that `stats` were taken with
    std::vector<UnitStats> stats;
    std::optional<QuantizerSpec> errors_spec;  // what `errors` were measured with
    std::vector<float> errors;
  };
  struct KnownNorms {
    std::int64_t prefix = -1;
    QueryNormRule rule;
    NdArray<float, 2> values;  // (n_layers, n_kv_heads)
  };
  struct KnownRunning {
    std::int64_t prefix = -1;
    ImportanceOptions options;
    PrefixImportance seen;
  };
  struct KnownDistances {
    std::int64_t prefix = -1;
    NdArray<float, 3> values;  // (n_layers, n_kv_heads, prefix)
  };

  PlannedCache plan_of_first(const CachePolicy& policy, CacheSide side, std::int64_t n_planned,
                             std::int64_t prefix, const Work& work);
  std::span<const UnitStats> stats(CacheSide side, const UnitLayout& layout,
                                   const QuantizerSpec& spec, const Work& work);
  std::span<const float> errors(CacheSide side, const UnitLayout& layout, const QuantizerSpec& spec,
                                const Work& work);
  NdView<const float, 3> importance(CacheSide side, const ImportanceOptions& options,
                                    std::int64_t prefix, const Work& work);
  const PrefixImportance& running(CacheSide side, const ImportanceOptions& options,
                                  std::int64_t prefix, const Work& work);
  NdView<const float, 2> norms(const QueryNormRule& rule, std::int64_t prefix, const Work& work);
  NdView<const float, 3> distances(std::int64_t prefix, const Work& work);
  void show_values(PolicyView& view, const Work& work);

  const CaptureView& capture_;
  ImportanceRows rows_;
  std::array<KnownStats, 2> stats_;  // of keys, of values
  ImportanceWindows windows_;
  std::array<SharedArray<float, 3>, 2> importance_;  // of keys, of values
  std::array<KnownRunning, 2> running_;
  KnownNorms norms_;
  KnownDistances distances_;
  KnownKept kept_;
  HeldLayers held_;  // while a policy looks at the values of one cache
};

}  // namespace qaq
