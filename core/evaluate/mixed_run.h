#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/engine/engine.h"
#include "core/evaluate/position_score.h"
#include "core/policy/qaq_params.h"
#include "core/replay/memory_capture.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// A prefix's keys and values from somewhere, by layer: each (n_kv_heads, the prefix or more, D).
struct CacheSource {
  std::vector<SharedArray<float, 3>> key, value;
};

/// Which source each row of a mixed cache is taken from: (2, n_layers, n_kv_heads, n_prefix), keys
/// first. A cell is an index of it, row-major.
using Mix = NdArray<std::uint8_t, 4>;

/// A text whose first n_prefix tokens stand in the cache that is replaced.
struct PrefixedText {
  std::span<const std::int32_t> ids;
  std::int64_t n_prefix = 0;  ///< 1 to one less than there are ids
};

/// What one row behind the prefix predicts on a mixed cache, beside the whole cache.
struct MixedScore {
  PositionScore score;        ///< its `next` is the whole cache's top token
  std::int32_t expected = 0;  ///< the whole cache's top token; ties: the lower id
  std::int32_t got = 0;       ///< the mixed cache's
  std::int64_t rank = 1;      ///< of `expected` on the mixed cache; 1: the top
  double p_before = 0;        ///< of `expected` with the whole cache
  double p_after = 0;         ///< and on the mixed one
};

/// Compares two rows of logits (vocab_size).
MixedScore mixed_score(std::span<const float> reference, std::span<const float> mixed);

/// One text run once with its whole cache, then again and again behind a prefix whose keys and
/// values are put together from several sources, cell by cell: what each part of a quantized cache
/// does to a prediction. What lies behind the prefix is the mixed run's own (prefix mode of section
/// 10). One engine. Not thread safe.
class MixedRun {
 public:
  static constexpr std::uint8_t kExact = 0;  ///< the source that the whole cache is

  /// Runs the text. Numbers of the whole cache are rounded to `dtype` before they are put back, as
  /// in a capture. Throws what `open` and the engine throw.
  MixedRun(const std::function<std::unique_ptr<Engine>()>& open, const PrefixedText& text,
           DType dtype, const Work& work);

  const ModelSpec& spec() const { return engine_->spec(); }
  /// Queries, keys and values of the whole text, in all layers; attention is derived.
  const CaptureView& capture() const { return *capture_; }
  std::span<const std::int32_t> ids() const { return ids_; }
  std::int64_t n_prefix() const { return n_prefix_; }
  /// Rows behind the prefix; row i is of token n_prefix + i and predicts the one behind it.
  std::int64_t n_rows() const { return logits_.shape(0); }
  /// Logits (vocab_size) of a row with the whole cache.
  std::span<const float> reference(std::int64_t row) const { return logits_.sub(row).span(); }

  /// Makes `source` the one of that number: the first free one, or one that was there. Throws
  /// Error{usage} where its shape does not fit, when it is replayed.
  void set_source(std::uint8_t number, CacheSource source);
  /// A mix all of one source.
  Mix mix(std::uint8_t source) const;

  /// Runs the rows up to `row` in one pass on the mixed prefix, and scores that one.
  MixedScore replay(const Mix& mix, std::int64_t row, const Work& work);
  /// The same with every row scored.
  std::vector<MixedScore> replay_rows(const Mix& mix, const Work& work);
  /// Replays so far.
  std::int64_t n_replays() const { return n_replays_; }

 private:
  void resume(const Mix& mix, const Work& work);
  SharedArray<float, 3> mixed_layer(const Mix& mix, CacheSide side, std::int64_t layer) const;

  std::unique_ptr<Engine> engine_;
  std::vector<std::int32_t> ids_;
  std::int64_t n_prefix_;
  std::unique_ptr<MemoryCapture> capture_;
  NdArray<float, 2> logits_;  // (n_rows, vocab_size)
  std::vector<CacheSource> sources_;
  std::int64_t n_replays_ = 0;
};

}  // namespace qaq
