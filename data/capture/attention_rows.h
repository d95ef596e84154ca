#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/tap.h"
#include "data/capture/row_dataset.h"

namespace qaq {

/// Keeps the last `n_rows` attention rows of a run in one dataset. Where the final length is known,
/// row s has its final place at once; else the dataset is a ring (row s in slot s mod n_rows) that
/// finish() unrolls.
class AttentionRows {
 public:
  /// plan.extents: (n_layers, n_heads, n_rows, T), T the final or the largest number of tokens.
  AttentionRows(const h5::File& file, DirectFile& direct, const RowPlan& plan)
      : rows_(file, direct, plan) {}

  void put(std::int64_t layer_index, const TapBlock& block);
  /// Positions of the stored rows once `n_tokens` tokens were run.
  std::vector<std::int32_t> query_tokens(std::int64_t n_tokens) const;
  void finish(std::int64_t n_tokens);

 private:
  void write_rows(std::int64_t layer_index, const TapBlock& block, std::int64_t first_position,
                  std::int64_t n_rows);
  void unroll(std::int64_t layer_index, std::int64_t head, std::int64_t n_tokens);
  std::int64_t n_kept() const { return rows_.plan().extents[2]; }
  std::int64_t n_columns() const { return rows_.plan().extents[3]; }
  std::int64_t slot(std::int64_t position) const;

  RowDataset rows_;
};

}  // namespace qaq
