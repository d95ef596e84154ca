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
  if (!plan.grows) return h5::Dataset::create(file, plan.path, type, to_extents(plan.extents));
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

RowDataset::RowDataset(const h5::File& file, const RowPlan& plan)
    : plan_(plan), type_(h5::file_type(plan.dtype)), dataset_(create(file, plan, type_.id())) {
  if (plan.dtype == DType::bf16) h5::Attributes(file, plan.path).set("encoding", "bfloat16");
}

void RowDataset::write(const RowBlock& block) {
  assert(std::ssize(block.values) == block.n_heads * block.n_rows * block.n_cols);
  // Rounding is the caller's work, not the HDF5 thread's.
  std::vector<std::byte> bytes;
  const void* data = block.values.data();
  if (plan_.dtype != DType::f32) {
    bytes = encoded(block.values, plan_.dtype);
    data = bytes.data();
  }
  h5::thread().run([&] {
    if (plan_.grows) {
      const h5::Extents& now = dataset_.extents();
      const auto rows = static_cast<hsize_t>(block.first_row + block.n_rows);
      const auto cols = static_cast<hsize_t>(block.n_cols);
      dataset_.grow({now[0], now[1], std::max(now[2], rows), std::max(now[3], cols)});
    }
    dataset_.write(slab_of(block), type_.id(), data);
  });
}

void RowDataset::read(const RowBlock& place, std::span<float> values) const {
  assert(plan_.dtype == DType::f32);
  h5::thread().run([&] { dataset_.read(slab_of(place), type_.id(), values.data()); });
}

}  // namespace qaq
