#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/tap.h"
#include "core/evaluate/prefix_run.h"
#include "core/model/model_spec.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Rows behind a prefix of a run with the whole cache, held so that other runs of the same tokens
/// can be compared with it.
class ReferenceRows : public TapSink {
 public:
  /// Rows [first_row, first_row + n_rows) behind `n_prefix` tokens.
  struct Rows {
    std::int64_t n_prefix = 0;
    std::int64_t first_row = 0;
    std::int64_t n_rows = 0;
    bool with_attention = true;
  };
  ReferenceRows(const ModelShape& shape, const Rows& rows);

  /// What a row takes while it is held.
  static std::int64_t bytes_per_row(const ModelShape& shape, const Rows& rows);

  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override;
  void put(const TapBlock& block) override;

  const Rows& rows() const { return rows_; }
  /// Logits (vocab_size) of a position.
  std::span<const float> logits(std::int64_t position) const {
    return logits_.sub(position - rows_.first_row).span();
  }
  /// Scores of a position's row on the prefix's columns (n_prefix).
  std::span<const float> attention(std::int64_t layer, std::int64_t head,
                                   std::int64_t position) const {
    return attention_.sub(layer, head, position - rows_.first_row).span();
  }
  /// Seconds spent in put().
  double seconds() const { return seconds_; }

 private:
  Rows rows_;
  NdArray<float, 2> logits_;     // (n_rows, vocab_size)
  NdArray<float, 4> attention_;  // (n_layers, n_heads, n_rows, n_prefix)
  double seconds_ = 0;
};

/// Compares a run of the same tokens on another cache with the reference as it passes by. Sums are
/// made row by row and added in order, whatever the thread count.
class ComparingTaps : public TapSink {
 public:
  /// Adds to `scores`. `next` (n_rows): what follows each row, or -1.
  ComparingTaps(const ReferenceRows& reference, std::span<const std::int32_t> next,
                TailScores& scores)
      : reference_(reference), next_(next), scores_(scores) {}

  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override {
    return reference_.wants(what, layer, first_row, n_rows);
  }
  void put(const TapBlock& block) override;
  /// Seconds spent in put().
  double seconds() const { return seconds_; }

 private:
  void compare_logits_of(const TapBlock& block);
  void compare_attention_of(const TapBlock& block);

  const ReferenceRows& reference_;
  std::span<const std::int32_t> next_;
  TailScores& scores_;
  double seconds_ = 0;
};

}  // namespace qaq
