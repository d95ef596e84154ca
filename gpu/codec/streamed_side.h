#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/evaluate/policy_decoder.h"
#include "core/model/model_spec.h"
#include "core/policy/cache_policy.h"
#include "core/quant/plan.h"
#include "gpu/codec/mixed_cache.h"
#include "gpu/cuda/kernels/importance.h"
#include "gpu/cuda/kernels/plan_bits.h"
#include "gpu/device/buffer.h"
#include "gpu/device/stream.h"

namespace qaq::cuda {

/// A model that decodes on a quantized cache.
struct StreamingSetup {
  ModelShape shape;
  std::int64_t max_tokens = 0;
  DType dtype = DType::f16;  ///< of what is not quantized
  QaqParams params{};        ///< planning_params()
  StreamingParams streaming{};

  CacheShape cache_shape() const {
    return {shape.n_layers, shape.n_kv_heads, max_tokens, shape.head_dim};
  }
  std::int64_t n_lists() const { return shape.n_layers * shape.n_kv_heads; }
};

/// What changes from step to step, in device memory so that a graph may read it.
struct DecodeStep {
  CacheLengths attend{};  ///< as the step's attention sees the cache
  CacheLengths plan{};    ///< as its plan does
  ImportanceStep importance{};
  std::int64_t tail_row = 0;     ///< of the new token
  std::int64_t first_fresh = 0;  ///< tokens from here on are in the tail
};

/// Layers [first, first + n).
struct LayerRange {
  std::int64_t first = 0;
  std::int64_t n = 0;
};

/// What the calls of a step have in common, or of some of its layers.
struct StepCall {
  const DecodeStep* step = nullptr;  ///< on the device
  std::int64_t max_tokens = 0;       ///< launches are sized for so many
  LayerRange layers{};
};

/// What the device tells of a side once a plan was followed.
struct SideReport {
  PlanCounts counts{};         ///< of all plans so far
  std::int64_t first_bad = 0;  ///< UnitStatsCall's
};

/// Keys or values of such a model: pages (MixedCache), tokens that no plan covered yet (the tail),
/// the unquantized copy on the host, and what plans follow from: statistics, importance, bits.
/// Everything is queued on the stream that is given. Layers are independent of each other, but
/// where units span them.
class StreamedSide {
 public:
  /// What it takes of an arena. Throws Error{usage} for what is planned on the host alone, by name.
  static MemoryPlan memory(const StreamingSetup& setup, CacheSide side);

  StreamedSide(const StreamingSetup& setup, CacheSide side, Arena& arena, const Stream& stream);

  std::int64_t units_per_token() const { return layout_.units_per_token(); }
  std::int64_t unit_size() const { return layout_.unit_size(); }
  bool needs_rows() const { return needs_.importance.has_value(); }
  /// Then all layers are quantized together.
  bool units_span_layers() const { return needs_.quantizer.level == Level::token; }
  /// Rows [position, position + n_rows) of a layer's scores in the prompt, n_heads slabs
  /// (triangle.h); `first_row` is the first that was given.
  struct PromptRows {
    std::int64_t layer = 0;
    const float* scores = nullptr;
    std::int64_t position = 0;
    std::int64_t n_rows = 0;
    std::int64_t first_row = 0;
  };
  void take_prompt_rows(const PromptRows& rows, const Stream& stream);
  /// A step's rows of some layers; `scores` are those of all, (n_layers, n_heads, stride).
  void take_step_rows(const float* scores, std::int64_t stride, const StepCall& call,
                      const Stream& stream);

  /// The rule of a plan of n tokens, of which the plan before knew n_held, for the next
  /// quantize_...(): host memory that the queued copy reads.
  void set_rule(std::int64_t n_tokens, std::int64_t n_held);
  /// Plans the prompt, which lies in `cache` (n_layers, n_kv_heads, stride, D), and packs it; the
  /// host's copy gets it by copy_to_host(). As quantize_tail(), queues a report to the host.
  void quantize_prompt(const std::byte* cache, std::int64_t stride, std::int64_t n_tokens,
                       const DecodeStep* step, const Stream& stream);
  /// Plans all tokens of some layers and follows, with plan_stride tokens in the tail, which the
  /// host's copy gets, too. All layers of a step take their turn, in order: with the first the rule
  /// is read, with the last the report queued.
  void quantize_tail(const StepCall& call, const Stream& stream);
  /// What that report says, after the stream was waited for. The rows that were quantized lay
  /// `stride` rows apart, beginning with token `first_token`. Throws Error{input} where a number of
  /// theirs is NaN or infinite, Error{work} where the pages could not follow the plan.
  const PlanCounts& followed(std::int64_t first_token, std::int64_t stride) const;

  /// Row 0 of a layer's tail, (n_kv_heads, plan_stride, D).
  std::byte* tail(std::int64_t layer) const;
  std::int64_t tail_stride() const { return setup_.params.plan_stride; }
  /// Queues the copy of a prompt's rows to the host's: tokens [first, first + n) of a layer, whose
  /// lists lie `stride` rows apart.
  struct HostRows {
    const std::byte* from = nullptr;
    std::int64_t stride = 0;
    std::int64_t layer = 0;
    std::int64_t first = 0;
    std::int64_t n = 0;
  };
  void copy_to_host(const HostRows& rows, const Stream& stream) const;

  const PagedCache& pages() const { return pages_.pages(); }
  /// Pages that a list of so many tokens may have.
  std::int32_t max_pages(std::int64_t n_tokens) const;

  /// Each waits for the stream. Of the first `n_tokens` tokens: the plan that is held.
  Plan held(std::int64_t n_tokens, const Stream& stream) const;
  std::vector<UnitStats> stats(std::int64_t n_tokens, const Stream& stream) const;
  DeviceCacheBytes bytes(const Stream& stream) const { return pages_.bytes(stream); }

 private:
  /// What a plan is of.
  struct Fresh {
    const std::byte* rows = nullptr;
    std::int64_t stride = 0;
    std::int64_t n_tokens = 0;
    const std::int64_t* first = nullptr;  // on the device; null: 0
    bool on_host = false;
  };
  void quantize(const Fresh& fresh, const StepCall& call, const Stream& stream);
  void plan(const StepCall& call, const Stream& stream);
  LayerRange all_layers() const { return {0, setup_.shape.n_layers}; }
  /// Units of a token, per layer of theirs.
  std::int64_t units_of(std::int64_t n_layers) const {
    return n_layers * layout_.units_per_token() / setup_.shape.n_layers;
  }
  ImportanceCall importance_call(const LayerRange& layers) const;

  StreamingSetup setup_;
  CacheSide side_;
  PolicyNeeds needs_;
  UnitLayout layout_;
  std::int64_t n_widths_;
  MixedCache pages_;
  std::byte* tail_;                // (n_lists, plan_stride, D)
  PinnedBuffer<std::byte> exact_;  // (n_lists, max_tokens, D)
  UnitStats* stats_;               // (units)
  std::uint8_t* n_bits_;           // (units)
  UnitChange* changes_;            // (units)
  std::int32_t* n_below_;          // (units), or null
  float* importance_;              // (n_layers, n_kv_heads, max_tokens), or null
  float* ring_;                    // (n_layers, n_kv_heads, n, max_tokens), or null
  double* state_;                  // (n_layers, n_kv_heads, max_tokens), or null
  PlanStep* step_;
  SideReport* report_;
  PinnedBuffer<std::byte> host_step_;         // a PlanStep
  PinnedBuffer<std::byte> host_report_;       // a SideReport
  PinnedBuffer<std::int32_t> host_problems_;  // ListProblem
};

}  // namespace qaq::cuda
