#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/tensor/dtype.h"
#include "core/tensor/nd_array.h"
#include "data/capture/direct_file.h"
#include "data/capture/h5_dataset.h"

namespace qaq {

/// Rows for one layer and a range of heads; `values` is (n_heads, n_rows, n_cols).
struct RowBlock {
  std::int64_t layer_index = 0;
  std::int64_t first_head = 0;
  std::int64_t n_heads = 0;
  std::int64_t first_row = 0;
  std::int64_t n_rows = 0;
  std::int64_t n_cols = 0;
  std::span<const float> values{};
};

/// How a dataset of rows lies in the file.
struct RowPlan {
  std::string path;
  DType dtype = DType::f32;
  Shape<4> extents{};  ///< (n_layers, n_heads, n_rows, n_cols): the final ones, or the largest
  /// False: contiguous, which is as fast as plain writing. True: the final number of rows is not
  /// known yet; chunks of one head and as many rows as make 1 to 2 MiB.
  bool grows = false;
};

/// Rows of a chunk of a growing dataset.
std::int64_t chunk_rows(const RowPlan& plan);

/// A dataset (n_layers, n_heads, n_rows, n_cols) of activations that are written as they arrive.
/// Made and destroyed on the HDF5 thread; write() is for any one thread.
class RowDataset {
 public:
  /// Rows whose place is known go there through `direct`, without the HDF5 library; it must outlive
  /// this.
  RowDataset(const h5::File& file, DirectFile& direct, const RowPlan& plan);

  const RowPlan& plan() const { return plan_; }
  /// Writes the block, rounded to the dataset's dtype; a growing dataset first grows to hold it.
  void write(const RowBlock& block);
  /// Reads float32 rows back; `values` has n_heads * n_rows * n_cols elements. f32 only.
  void read(const RowBlock& place, std::span<float> values) const;

 private:
  void write_in_place(const RowBlock& block, std::span<const std::byte> bytes);
  void write_growing(const RowBlock& block, const void* data);

  RowPlan plan_;
  DirectFile* direct_;
  h5::Handle type_;
  h5::Dataset dataset_;
  std::int64_t offset_ = 0;  ///< in the file, where the place is known
};

}  // namespace qaq
