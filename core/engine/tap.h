#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/tensor/dtype.h"

namespace qaq {

/// What a tap carries. Order of the kinds within a layer is this order.
enum class TapKind { query, key, value, attention_stats, attention, logits, logits_top };

/// A block of captured numbers, row-major (n_heads, n_rows, n_cols).
///
///   query      heads = query heads, cols = head_dim; after RoPE (half-split), unscaled
///   key        heads = KV heads,    cols = head_dim; after RoPE (half-split)
///   value      heads = KV heads,    cols = head_dim
///   attention  heads = query heads, cols = keys up to the last row of the run; after the softmax,
///              zero above the diagonal (row i is position first_row + i)
///   attention_stats
///              instead of attention where TapSink::first_whole_row() allows it, cols = keys up to
///              the last row of the block. Not rows, but (n_heads, n_rows + n_cols): of each row
///              its entropy (nat; not finite where a score is not), then of each key the sum of
///              its scores over the block's rows
///   logits     one head, cols = vocab_size; layer is n_layers
///   logits_top instead of logits where TapSink::top_logits() allows it: of each row its argmax,
///              argmax_logit, logsumexp, the ids of the k largest and their logits
///              (logits_summary.h), cols = 3 + 2 k; ids as bits
struct TapBlock {
  TapKind what = TapKind::query;
  std::int64_t layer = 0;
  std::int64_t first_head = 0;
  std::int64_t n_heads = 0;
  std::int64_t first_row = 0;  ///< position of the first row
  std::int64_t n_rows = 0;
  std::int64_t n_cols = 0;
  DType dtype = DType::f32;
  std::span<const std::byte> bytes{};
  /// Where it is not null, the bytes stay valid and unchanged for as long as a copy of it is held;
  /// the engine waits when too many are held. Else they are valid during the call only.
  std::shared_ptr<const void> owner{};

  /// The numbers of an f32 block.
  std::span<const float> floats() const {
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
  }
};

/// Receives taps in order (layer, what, head, row) from one thread, which need not be the one that
/// asks. Throwing stops the run.
class TapSink {
 public:
  virtual ~TapSink() = default;
  /// Asked before a block is made; a block that nobody wants costs nothing. Rows are positions
  /// [first_row, first_row + n_rows); put() may still get rows beside those wanted.
  virtual bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
                     std::int64_t n_rows) const = 0;
  virtual void put(const TapBlock& block) = 0;
  /// So many of the largest logits of a row, with its logsumexp, are enough; 0: rows are wanted
  /// whole. A backend may send either.
  virtual std::int64_t top_logits() const { return 0; }
  /// Of rows of attention at positions before this one, where they are wanted, statistics are
  /// enough. A backend may send either.
  virtual std::int64_t first_whole_row() const { return 0; }
};

}  // namespace qaq
