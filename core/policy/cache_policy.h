#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/parameters.h"
#include "core/policy/importance_rule.h"
#include "core/policy/qaq_params.h"
#include "core/policy/query_norms.h"
#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"
#include "core/quant/unit_values.h"
#include "core/tensor/nd_array.h"

namespace qaq {

class TokenRetention;

/// What a policy wants to see of one cache before it can plan.
struct PolicyNeeds {
  /// Units and outliers that the statistics are taken by; at no-quantization none are taken.
  QuantizerSpec quantizer;
  std::optional<ImportanceOptions> importance{};  ///< of each token; empty: none
  std::optional<QueryNormRule> q_norm{};          ///< of each KV head; empty: none
  bool distances = false;                         ///< of values from the newest row's outputs
  bool errors = false;                            ///< of each unit at every number of bits
  bool values = false;                            ///< the exact cache, and how RoPE turned it
  /// Tokens from plan to plan: those behind the last one are left exact.
  std::int64_t plan_stride = 1;
};

/// What a policy sees of one cache of T tokens.
struct PolicyView {
  CacheSide side = CacheSide::key;
  UnitLayout layout;
  std::span<const UnitStats> stats;  ///< (layout.n_units()); empty at no-quantization
  // Each where it was asked for:
  NdView<const std::uint8_t, 3>
      kept{};  ///< (n_layers, n_kv_heads, T) as Plan has it, where it evicts
  NdView<const float, 3> importance{};   ///< (n_layers, n_kv_heads, T)
  NdView<const float, 2> window{};       ///< (n_layers, n_kv_heads), rows; of adaptive windows
  NdView<const float, 2> q_norm{};       ///< (n_layers, n_kv_heads), squared 2-norms
  NdView<const float, 3> distance{};     ///< (n_layers, n_kv_heads, T), see output_distances()
  std::span<const float> errors{};       ///< (layout.n_units(), kBitChoices), see unit_errors.h
  std::span<const CacheLayer> layers{};  ///< of each layer: (n_kv_heads, at least T, D)
  std::span<const double> rope{};  ///< radians a position of channels i and i + rope.size(); empty:
                                   ///< no RoPE
};

/// Another capture of the same model, for what a policy learns before it is used.
struct CalibrationView {
  std::int64_t n_tokens = 0;
  std::span<const CacheLayer> key{};    ///< of each layer: (n_kv_heads, n_tokens, D)
  std::span<const CacheLayer> value{};  ///< the same
  std::span<const double> rope{};       ///< as in PolicyView
};

/// Decides what a cache keeps of each unit; a codec carries it out. Policies hold no state and know
/// no device: plan() is a pure function of what it is shown. To add a policy: derive from this, say
/// what it needs, make a Plan.
class CachePolicy {
 public:
  virtual ~CachePolicy() = default;
  virtual std::string_view name() const = 0;
  /// As --set takes them, with their present values.
  virtual std::vector<Parameter> parameters() const = 0;
  /// What an unquantized number counts in nominal sizes: 16 or 32.
  virtual int dtype_bits() const { return 16; }
  /// Keys that a query of the quantized cache attends to, those with its largest logits; 0: all.
  virtual std::int64_t sparse_top_k() const { return 0; }
  virtual PolicyNeeds needs(CacheSide side) const = 0;
  /// What chooses the tokens that are left, before plan() decides what becomes of them. Null:
  /// nothing is evicted.
  virtual const TokenRetention* retention() const { return nullptr; }
  /// The same policy with what it learns of another capture. Null: it learns nothing.
  virtual std::shared_ptr<const CachePolicy> calibrated(const CalibrationView&) const {
    return nullptr;
  }
  /// Throws Error{usage} where a parameter makes no sense for a cache of this shape.
  virtual Plan plan(const PolicyView& view) const = 0;
};

}  // namespace qaq
