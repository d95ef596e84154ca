#pragma once

#include <cstdint>
#include <list>
#include <vector>

#include "core/base/progress.h"
#include "core/policy/qaq_params.h"
#include "core/replay/capture_view.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// The importance of every token of one capture, for attention windows of changing length. A window
/// that was asked for twice with another length is one that somebody is turning: then the maxima of
/// all shorter ones are made of one read of the scores, row upon row from the newest back, and the
/// next lengths cost nothing. Holds 4 bytes a token, layer, KV head and length. One call at a time.
class ImportanceWindows {
 public:
  /// Lengths made at once: what the window's slider reaches.
  static constexpr std::int64_t kLengths = 64;
  static constexpr std::int64_t kBudgetBytes = std::int64_t{256} << 20;

  explicit ImportanceWindows(const CaptureView& capture, std::int64_t budget_bytes = kBudgetBytes)
      : capture_(capture), budget_bytes_(budget_bytes) {}

  /// window_importance() of the first `prefix` tokens in the captured rows [last_row - n_rows,
  /// last_row): (n_layers, n_kv_heads, prefix).
  SharedArray<float, 3> importance(std::int64_t prefix, std::int64_t last_row, std::int64_t n_rows,
                                   GqaReduce reduce, const Work& work,
                                   std::int64_t head_stride = 1);

 private:
  struct Known {
    std::int64_t prefix = 0;
    std::int64_t last_row = 0;
    GqaReduce reduce = GqaReduce::max;
    std::int64_t head_stride = 1;
    std::vector<SharedArray<float, 3>> lengths{};  // of 1, 2 .. rows
    std::int64_t other_rows = 0;                   // a length beyond them,
    SharedArray<float, 3> other{};                 // and its importance
  };

  SharedArray<float, 3> of_one(const Known& of, std::int64_t n_rows, const Work& work) const;
  std::vector<SharedArray<float, 3>> of_all(const Known& of, std::int64_t n_rows,
                                            const Work& work) const;

  const CaptureView& capture_;
  const std::int64_t budget_bytes_;
  std::list<Known> known_;  // last used first: what keys and values ask for
};

}  // namespace qaq
