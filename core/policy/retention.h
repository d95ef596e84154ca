#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/quant/plan.h"
#include "core/quant/unit_layout.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What a policy that evicts wants to see of a layer before it can choose.
struct RetentionNeeds {
  /// As attention_rows: every row of the prompt.
  static constexpr std::int64_t kAllRows = -1;

  std::int64_t attention_rows = 0;  ///< newest rows of the prompt; 0: none
  bool query = false;
  bool key = false;
  bool value = false;
  bool rope = false;  ///< how it turned queries and keys
};

/// One layer after its prompt of T tokens. What was not asked for is empty.
struct PromptView {
  std::int64_t layer = 0;  ///< its place in the cache
  CacheShape shape;        ///< of the prompt: n_tokens is T
  std::int64_t n_heads = 0;
  /// (n_heads, rows, T), after the softmax; the last row is that of token T - 1.
  NdView<const float, 3> scores{};
  NdView<const float, 3> query{};  ///< (n_heads, T, D), as it enters the score
  NdView<const float, 3> key{};    ///< (n_kv_heads, T, D), as it enters the score
  NdView<const float, 3> value{};  ///< (n_kv_heads, T, D)
  /// Radians a position by which RoPE turns dimensions i and i + rope.size(); empty: no RoPE.
  std::span<const double> rope{};
};

/// A layer after a decode step has attended: to what was kept, and to its own token.
struct StepView {
  /// (n_heads, T): the newest token's row, 0 at evicted ones; T counts that token.
  NdView<const float, 2> scores;
};

/// Chooses for one layer which tokens each KV head keeps, after the prompt and after every step.
class LayerRetention {
 public:
  virtual ~LayerRetention() = default;
  /// `kept` (n_kv_heads, T), all 1 as it comes: 0 where the KV head drops the token.
  virtual void prompt(const PromptView& view, const NdView<std::uint8_t, 2>& kept) = 0;
  /// `kept` (n_kv_heads, T): what is left so far, the newest token among it. Nothing returns.
  virtual void step(const StepView& view, const NdView<std::uint8_t, 2>& kept) = 0;
};

/// The part of a policy that evicts: an evicted token's key and value leave the softmax, which is
/// renormalised over the others. Section 8 of the mathematics.
class TokenRetention {
 public:
  virtual ~TokenRetention() = default;
  virtual RetentionNeeds retention_needs() const = 0;
  /// `prompt` is the whole cache at the end of the prompt. Throws Error{usage} where the parameters
  /// make no sense for it.
  virtual std::unique_ptr<LayerRetention> open_layer(std::int64_t layer, const CacheShape& prompt,
                                                     std::int64_t n_heads) const = 0;
};

/// Throws Error{usage} where units of the plan span KV heads, which evict different tokens.
void require_units_of_one_head(const Plan& plan);

}  // namespace qaq
