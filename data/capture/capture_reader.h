#pragma once

#include <string>

#include "core/base/progress.h"
#include "core/replay/capture_view.h"
#include "data/capture/array_cache.h"
#include "data/capture/capture_layout.h"

namespace qaq {

/// A capture file as a CaptureView. Opens the file anew for each array, so that runs can be stored
/// in it meanwhile; keeps the arrays used last. Thread safe.
class CaptureReader : public CaptureView {
 public:
  CaptureReader(std::string path, std::int64_t cache_bytes);

  const CaptureInfo& info() const override { return info_; }
  SharedArray<float, 3> key(std::int64_t layer_index) const override;
  SharedArray<float, 3> value(std::int64_t layer_index) const override;
  SharedArray<float, 3> query(std::int64_t layer_index) const override;
  SharedArray<float, 3> attention(std::int64_t layer_index, std::int64_t first_row,
                                  std::int64_t n_rows) const override;

  /// Reads every number once and refuses the first that is not finite.
  void check(const Work& work) const;

 private:
  enum Kind { kKeys, kValues, kQueries, kScores };

  /// Rows of one layer of a stored dataset, (heads, n_rows, columns), checked.
  SharedArray<float, 3> load(Kind kind, std::int64_t layer_index, std::int64_t first_row,
                             std::int64_t n_rows) const;
  SharedArray<float, 3> whole(Kind kind, std::int64_t layer_index) const;
  SharedArray<float, 3> derive(std::int64_t layer_index, std::int64_t first_row,
                               std::int64_t n_rows) const;
  void check_numbers(Kind kind, std::int64_t layer_index, std::int64_t first_row,
                     const NdArray<float, 3>& numbers) const;
  std::int64_t float_bytes() const;
  bool stores_scores() const;

  std::string path_;
  CaptureInfo info_;
  mutable ArrayCache cache_;
};

}  // namespace qaq
