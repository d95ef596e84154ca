#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/policy/cache_policy.h"
#include "core/replay/stream_planner.h"
#include "core/replay/stream_retention.h"
#include "core/replay/streaming.h"

namespace qaq {

/// Both caches of a decode, planned and carried out step by step: what the open loop, which replays
/// a capture, and the closed one, which runs a model, do alike. So equal numbers give equal plans,
/// caches and bytes in both.
class CacheStream {
 public:
  /// All outlive it; the layers' shape has room for T tokens, of which none is there yet.
  struct Source {
    const CachePolicy& policy;
    const StreamedLayers& layers;
    const StreamingParams& params;
    const std::string& name;
  };
  /// Throws as StreamPlanner. The policy evicts nothing.
  explicit CacheStream(const Source& source);

  /// What a policy that evicts did with the prompt, before the plan of its last token follows.
  void keep(KeptPrompt prompt);
  /// What is left of all tokens that are there, (n_layers, n_kv_heads, n), as of the last follow();
  /// null where nothing is evicted.
  const SharedArray<std::uint8_t, 3>& kept() const { return kept_; }

  /// Exact numbers of the tokens up to `n_tokens` are there now, and on the device.
  void append(std::int64_t n_tokens);
  /// The newest row of a layer's attention, (n_heads, 1, at least position + 1), 0 at tokens that
  /// are evicted. Rows of a layer come in order; layers may come on several threads.
  void push(std::int64_t layer, std::int64_t position, const NdView<const float, 3>& row);
  /// What follows once the rows of step.token were pushed and its numbers are there: a plan where
  /// one is due (with the prompt's last token, then every plan_stride steps), carried out, and the
  /// step's bytes and times. `rows` are the newest rows of all layers. A step that is the prompt's
  /// sends the whole prompt to the host. Returns whether there was a plan.
  bool follow(std::int64_t prefill, std::span<const NdArray<float, 3>> rows, StreamingStep& step);

  const StreamedCache& cache(CacheSide side) const { return of(side).cache; }
  const StreamPlanner& planner(CacheSide side) const { return of(side).planner; }
  /// Units of both caches that are quantized.
  std::int64_t n_units() const;

 private:
  struct Side {
    Side(const Source& source, CacheSide side);
    StreamPlanner planner;
    StreamedCache cache;
  };
  const Side& of(CacheSide side) const { return side == CacheSide::key ? key_ : value_; }
  void account(std::int64_t n_new, StreamingStep& step) const;

  CacheShape shape_;  // of T tokens
  StreamingParams params_;
  std::int64_t plan_stride_;
  bool has_host_copy_;  // units of QAQ are fetched from it
  Side key_, value_;
  std::optional<StreamRetention> retention_;
  std::int64_t n_prompt_ = 0;
  SharedArray<std::uint8_t, 3> kept_;
  std::int64_t n_there_ = 0;
};

}  // namespace qaq
