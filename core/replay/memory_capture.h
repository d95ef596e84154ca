#pragma once

#include <vector>

#include "core/replay/capture_view.h"

namespace qaq {

/// A capture held in memory: what a live run has, and what tests make. Keys, values and queries are
/// rounded to info.dtype, as they are in a file, so that both give the same figures.
class MemoryCapture : public CaptureView {
 public:
  /// One entry a captured layer; shapes as CaptureView gives them. `query` is empty where
  /// info.has_queries is false, `attention` (n_heads, n_query_rows, T) where the profile is derive
  /// or none.
  struct Arrays {
    std::vector<NdArray<float, 3>> key;
    std::vector<NdArray<float, 3>> value;
    std::vector<NdArray<float, 3>> query;
    std::vector<NdArray<float, 3>> attention;
  };

  /// Throws Error{input} where an array's shape is not what `info` says, and where a number is NaN,
  /// infinite or too large for info.dtype, with its layer, head, token and channel.
  MemoryCapture(CaptureInfo info, Arrays arrays);

  const CaptureInfo& info() const override { return info_; }
  SharedArray<float, 3> key(std::int64_t layer_index) const override;
  SharedArray<float, 3> value(std::int64_t layer_index) const override;
  SharedArray<float, 3> query(std::int64_t layer_index) const override;
  SharedArray<float, 3> attention(std::int64_t layer_index, std::int64_t first_row,
                                  std::int64_t n_rows) const override;

 private:
  CaptureInfo info_;
  std::vector<SharedArray<float, 3>> key_, value_, query_, attention_;
};

}  // namespace qaq
