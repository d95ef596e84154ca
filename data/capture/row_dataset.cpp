#include "data/capture/row_dataset.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "data/capture/stored_numbers.h"

namespace qaq {
namespace {

constexpr std::int64_t kLargestChunkBytes = 2 << 20;

h5::Extents to_extents(const Shape<4>& shape) { return {shape.begin(), shape.end()}; }

h5::Dataset create(const h5::File& file, const RowPlan& plan, hid_t type) {
  if (!plan.grows) {
    return h5::Dataset::create(file, plan.path, type, to_extents(plan.extents), {.placed = true});
  }
  const Shape<4>& e = plan.extents;
  return h5::Dataset::create(
      file, plan.path, type, to_extents({e[0], e[1], 0, 0}),
      {.chunk = to_extents({1, 1, chunk_rows(plan), e[3]}), .largest = to_extents(e)});
}

h5::Slab slab_of(const RowBlock& b) {
  return {to_extents({b.layer_index, b.first_head, b.first_row, 0}),
          to_extents({1, b.n_heads, b.n_rows, b.n_cols})};
}

}  // namespace

std::int64_t chunk_rows(const RowPlan& plan) {
  const std::int64_t row_bytes = plan.extents[3] * bytes_of(plan.dtype);
  const std::int64_t n_rows = plan.extents[2];
  const std::int64_t most = std::clamp<std::int64_t>(kLargestChunkBytes / row_bytes, 1, n_rows);
  // Equal chunks: the last one is written whole too, so a short one would waste the rest.
  const std::int64_t n_chunks = (n_rows + most - 1) / most;
  return (n_rows + n_chunks - 1) / n_chunks;
}

RowDataset::RowDataset(const h5::File& file, DirectFile& direct, const RowPlan& plan)
    : plan_(plan),
      direct_(&direct),
      type_(h5::file_type(plan.dtype)),
      dataset_(create(file, plan, type_.id())) {
  if (plan.dtype == DType::bf16) h5::Attributes(file, plan.path).set("encoding", "bfloat16");
  if (!plan.grows) offset_ = dataset_.offset();
}

void RowDataset::write(const RowBlock& block) {
  assert(std::ssize(block.values) == block.n_heads * block.n_rows * block.n_cols);
  // Rounding is the caller's work, not the HDF5 thread's.
  std::vector<std::byte> rounded;
  std::span<const std::byte> bytes = std::as_bytes(block.values);
  if (plan_.dtype != DType::f32) bytes = rounded = encoded(block.values, plan_.dtype);
  if (plan_.grows) {
    write_growing(block, bytes.data());
  } else {
    write_in_place(block, bytes);
  }
}

void RowDataset::write_in_place(const RowBlock& block, std::span<const std::byte> bytes) {
  const Shape<4>& e = plan_.extents;
  assert(block.n_cols == e[3] && block.first_row + block.n_rows <= e[2]);
  // Whole heads lie one after the other; of others the rows of each.
  const bool whole = block.n_rows == e[2];
  const std::int64_t n_stretches = whole ? 1 : block.n_heads;
  const auto length = bytes.size() / static_cast<std::size_t>(n_stretches);
  for (std::int64_t i = 0; i < n_stretches; ++i) {
    const std::int64_t row = (block.layer_index * e[1] + block.first_head + i) * e[2];
    direct_->write(offset_ + (row + block.first_row) * e[3] * bytes_of(plan_.dtype),
                   bytes.subspan(static_cast<std::size_t>(i) * length, length));
  }
}

void RowDataset::write_growing(const RowBlock& block, const void* data) {
  h5::thread().run([&] {
    const h5::Extents& now = dataset_.extents();
    const auto rows = static_cast<hsize_t>(block.first_row + block.n_rows);
    const auto cols = static_cast<hsize_t>(block.n_cols);
    dataset_.grow({now[0], now[1], std::max(now[2], rows), std::max(now[3], cols)});
    dataset_.write(slab_of(block), type_.id(), data);
  });
}

void RowDataset::read(const RowBlock& place, std::span<float> values) const {
  assert(plan_.dtype == DType::f32);
  h5::thread().run([&] { dataset_.read(slab_of(place), type_.id(), values.data()); });
}

}  // namespace qaq
