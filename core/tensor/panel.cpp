#include "core/tensor/panel.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/tensor/panel.cpp"
// Must come before highway.h, in this order: Highway compiles this file once for each target.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h.
#include "core/tensor/block_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace qaq {
namespace HWY_NAMESPACE {

constexpr std::size_t kPanelVectors = kPanelColumns / kLanes;

// Rows whose sums fit the registers beside one vector of the panel: 24 of 32, or 12 of 16.
constexpr std::int64_t kTileRows = (HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64 ? 24 : 12) /
                                   static_cast<std::int64_t>(kPanelVectors);

// kRows rows of C from one pass over the panel.
template <int kRows>
HWY_INLINE void multiply_tile(const PanelProduct& p, std::int64_t first_row) {
  const Floats d;
  const float* HWY_RESTRICT a = p.a + first_row * p.a_stride;
  const float* HWY_RESTRICT panel = p.panel;
  float* c = p.c + first_row * p.c_stride;
  HWY_ALIGN float edge[kPanelColumns] = {};
  const bool whole = p.n_columns == kPanelColumns;
  const auto n_bytes = static_cast<std::size_t>(p.n_columns) * sizeof(float);

  // Sums begin at zero and meet C at the end: terms added to a large residual one by one would lose
  // their low bits every time.
  Vector sum[kRows][kPanelVectors];
  for (int row = 0; row < kRows; ++row) {
    for (std::size_t v = 0; v < kPanelVectors; ++v) sum[row][v] = hn::Zero(d);
  }
  for (std::int64_t k = 0; k < p.depth; ++k) {
    Vector b[kPanelVectors];
    for (std::size_t v = 0; v < kPanelVectors; ++v) {
      b[v] = hn::LoadU(d, panel + k * p.panel_stride + static_cast<std::int64_t>(v * kLanes));
    }
    for (int row = 0; row < kRows; ++row) {
      const Vector x = hn::Set(d, a[row * p.a_stride + k]);
      for (std::size_t v = 0; v < kPanelVectors; ++v) {
        sum[row][v] = hn::MulAdd(x, b[v], sum[row][v]);
      }
    }
  }
  if (p.bias) {
    std::memcpy(edge, p.bias, n_bytes);
    for (std::size_t v = 0; v < kPanelVectors; ++v) {
      const Vector bias = hn::Load(d, edge + v * kLanes);
      for (int row = 0; row < kRows; ++row) sum[row][v] = hn::Add(sum[row][v], bias);
    }
  }
  for (int row = 0; row < kRows; ++row) {
    float* end = c + row * p.c_stride;
    if (p.accumulate) {
      if (!whole) std::memcpy(edge, end, n_bytes);
      for (std::size_t v = 0; v < kPanelVectors; ++v) {
        sum[row][v] = hn::Add(sum[row][v], hn::LoadU(d, (whole ? end : edge) + v * kLanes));
      }
    }
    for (std::size_t v = 0; v < kPanelVectors; ++v) {
      hn::StoreU(sum[row][v], d, (whole ? end : edge) + v * kLanes);
    }
    if (!whole) std::memcpy(end, edge, n_bytes);
  }
}

// The rows that are left, fewer than a tile.
template <int kRows>
HWY_INLINE void multiply_rest(const PanelProduct& p, std::int64_t first_row, std::int64_t n) {
  if constexpr (kRows > 0) {
    if (n == kRows) return multiply_tile<kRows>(p, first_row);
    multiply_rest<kRows - 1>(p, first_row, n);
  }
}

void product(const PanelProduct& p) {
  std::int64_t row = 0;
  for (; row + kTileRows <= p.n_rows; row += kTileRows) {
    multiply_tile<static_cast<int>(kTileRows)>(p, row);
  }
  multiply_rest<static_cast<int>(kTileRows) - 1>(p, row, p.n_rows - row);
}

// Four rows of four numbers as columns.
HWY_INLINE void transpose_4x4(const float* rows, std::int64_t stride, float* out,
                              std::int64_t out_stride) {
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> pairs;
  const auto r0 = hn::LoadU(d, rows), r1 = hn::LoadU(d, rows + stride),
             r2 = hn::LoadU(d, rows + 2 * stride), r3 = hn::LoadU(d, rows + 3 * stride);
  const auto a = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1)),
             b = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3)),
             e = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1)),
             f = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, a, b)), d, out);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, a, b)), d, out + out_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, e, f)), d, out + 2 * out_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, e, f)), d, out + 3 * out_stride);
}

void transpose(const float* rows, std::int64_t stride, std::int64_t n_rows, std::int64_t n_columns,
               float* out) {
  const std::int64_t whole_rows = n_rows / 4 * 4, whole_columns = n_columns / 4 * 4;
  for (std::int64_t j = 0; j < whole_columns; j += 4) {
    for (std::int64_t i = 0; i < whole_rows; i += 4) {
      transpose_4x4(rows + i * stride + j, stride, out + j * kPanelColumns + i, kPanelColumns);
    }
  }
  for (std::int64_t j = 0; j < n_columns; ++j) {
    for (std::int64_t i = j < whole_columns ? whole_rows : 0; i < n_rows; ++i) {
      out[j * kPanelColumns + i] = rows[i * stride + j];
    }
    std::fill(out + j * kPanelColumns + n_rows, out + (j + 1) * kPanelColumns, 0.0f);
  }
}

// Columns of a panel that are decoded before they are transposed; a whole number of all blocks.
constexpr std::int64_t kDecodedColumns = 256;

// Rows of a part of at most kDecodedColumns columns, (n_rows, kDecodedColumns).
template <class Block>
void decode_rows(const WeightView& weight, const WeightPart& part, float* rows) {
  const Floats d;
  const auto row_size = static_cast<std::size_t>(row_bytes(weight.type, weight.cols));
  const auto offset = static_cast<std::size_t>(row_bytes(weight.type, part.first_col));
  for (std::int64_t i = 0; i < part.n_rows; ++i) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(weight.bytes.data()) +
                        static_cast<std::size_t>(part.first_row + i) * row_size + offset;
    float* out = rows + i * kDecodedColumns;
    const std::int64_t whole = part.n_cols / Block::kElements * Block::kElements;
    for (std::int64_t at = 0; at < whole; at += Block::kElements) {
      const Block block{bytes + at / Block::kElements * Block::kBytes};
      for (std::int64_t group = 0; group < Block::kElements / kGroup; ++group) {
        Vector w[kGroupVectors];
        block.load(group, w);
        float* end = out + at + group * kGroup;
        for (std::size_t v = 0; v < kGroupVectors; ++v) hn::StoreU(w[v], d, end + v * kLanes);
      }
    }
    decode_rest(weight.type, bytes, whole, part.n_cols, out);
  }
}

void panel_of(const WeightView& weight, const WeightPart& part, float* panel) {
  HWY_ALIGN float rows[kPanelColumns * kDecodedColumns];
  for (std::int64_t col = 0; col < part.n_cols; col += kDecodedColumns) {
    const std::int64_t n = std::min(kDecodedColumns, part.n_cols - col);
    const WeightPart piece{part.first_row, part.n_rows, part.first_col + col, n};
    with_blocks(weight.type, [&]<class Block>(std::type_identity<Block>)
                                 HWY_ATTR { decode_rows<Block>(weight, piece, rows); });
    transpose(rows, kDecodedColumns, part.n_rows, n, panel + col * kPanelColumns);
  }
}

// sums += 32 weights times x.
template <class Block>
HWY_INLINE void add_products(const Block& block, std::int64_t group, const float* x, Vector* sums) {
  Vector w[kGroupVectors];
  block.load(group, w);
  for (std::size_t v = 0; v < kGroupVectors; ++v) {
    sums[v] = hn::MulAdd(w[v], hn::LoadU(Floats(), x + v * kLanes), sums[v]);
  }
}

// One row is read at a time: one stream, which the processor fetches ahead. Two groups of numbers
// have sums of their own, so that additions do not wait for each other.
template <class Block>
HWY_INLINE float dot_row(const WeightView& weight, const std::uint8_t* bytes, const float* x) {
  const Floats d;
  Vector sum[2 * kGroupVectors], *const even = sum, *const odd = sum + kGroupVectors;
  for (Vector& s : sum) s = hn::Zero(d);
  const std::int64_t n_blocks = weight.cols / Block::kElements;
  const auto block = [&](std::int64_t i) HWY_ATTR { return Block{bytes + i * Block::kBytes}; };
  if constexpr (Block::kElements == kGroup) {
    std::int64_t i = 0;
    for (; i + 2 <= n_blocks; i += 2) {
      add_products(block(i), 0, x + i * kGroup, even);
      add_products(block(i + 1), 0, x + (i + 1) * kGroup, odd);
    }
    if (i < n_blocks) add_products(block(i), 0, x + i * kGroup, even);
  } else {
    for (std::int64_t i = 0; i < n_blocks; ++i) {
      const Block unpacked = block(i);
      const float* from = x + i * Block::kElements;
      for (std::int64_t group = 0; group < Block::kElements / kGroup; group += 2) {
        add_products(unpacked, group, from + group * kGroup, even);
        add_products(unpacked, group + 1, from + (group + 1) * kGroup, odd);
      }
    }
  }
  Vector total = sum[0];
  for (std::size_t v = 1; v < 2 * kGroupVectors; ++v) total = hn::Add(total, sum[v]);
  return hn::GetLane(hn::SumOfLanes(d, total)) +
         dot_rest(weight.type, bytes, n_blocks * Block::kElements, weight.cols, x);
}

void rows_times(const WeightView& weight, std::int64_t first_row, std::int64_t n_rows,
                const float* x, float* y) {
  const auto row_size = static_cast<std::size_t>(row_bytes(weight.type, weight.cols));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(weight.bytes.data()) +
                      static_cast<std::size_t>(first_row) * row_size;
  with_blocks(weight.type, [&]<class Block>(std::type_identity<Block>) HWY_ATTR {
    for (std::int64_t row = 0; row < n_rows; ++row) {
      y[row] = dot_row<Block>(weight, bytes + static_cast<std::size_t>(row) * row_size, x);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace qaq
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qaq {
HWY_EXPORT(product);
HWY_EXPORT(transpose);
HWY_EXPORT(panel_of);
HWY_EXPORT(rows_times);

void multiply_panel(const PanelProduct& p) { HWY_DYNAMIC_DISPATCH(product)(p); }

void transpose_to_panel(const float* rows, std::int64_t stride, std::int64_t n_rows,
                        std::int64_t n_columns, float* out) {
  HWY_DYNAMIC_DISPATCH(transpose)(rows, stride, n_rows, n_columns, out);
}

void decode_panel(const WeightView& weight, const WeightPart& part, float* panel) {
  HWY_DYNAMIC_DISPATCH(panel_of)(weight, part, panel);
}

void multiply_rows(const WeightView& weight, std::int64_t first_row, std::int64_t n_rows,
                   const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(rows_times)(weight, first_row, n_rows, x, y);
}

}  // namespace qaq
#endif  // HWY_ONCE
