#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/engine/tap.h"
#include "core/model/model_spec.h"
#include "core/replay/stream_planner.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// Taps of a run that goes on token by token: holds exact keys and values, and queries where they
/// are asked for, as a cache's numbers are, and hands out rows of attention whole.
class StreamTaps : public TapSink {
 public:
  struct Options {
    std::int64_t max_tokens = 0;
    DType dtype = DType::f32;  ///< what numbers are rounded to
    bool with_queries = false;
    bool with_attention = true;
  };
  StreamTaps(const ModelSpec& spec, const Options& options);

  /// Layer, position and (n_heads, 1, at least position + 1), valid during the call.
  using OnRow = std::function<void(std::int64_t, std::int64_t, const NdView<const float, 3>&)>;
  /// From now on rows of attention from `first_row` on go to `on_row`, layer by layer in order.
  void hand_rows(std::int64_t first_row, OnRow on_row);

  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override;
  /// Throws Error{input} where a number is NaN, infinite or too large for the number type, with its
  /// place.
  void put(const TapBlock& block) override;

  /// With room for max_tokens tokens.
  const StreamedLayers& layers() const { return layers_; }
  /// By layer: (n_heads, 1, max_tokens), the newest row that was handed out.
  std::span<const NdArray<float, 3>> newest_rows() const { return newest_; }
  /// Seconds spent in put() since the last call.
  double take_seconds();

 private:
  void hold(const TapBlock& block, NdArray<float, 3>& array) const;
  void collect(const TapBlock& block);

  std::string name_;
  ModelShape shape_;
  Options options_;
  std::vector<NdArray<float, 3>> key_, value_, query_;  // by layer: (heads, max_tokens, D)
  StreamedLayers layers_;
  std::int64_t first_row_ = 0;
  OnRow on_row_;
  NdArray<float, 3> rows_;                 // of one layer: (rows, n_heads, keys)
  std::vector<NdArray<float, 3>> newest_;  // by layer
  double seconds_ = 0;
};

}  // namespace qaq
