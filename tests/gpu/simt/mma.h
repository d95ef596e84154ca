#pragma once

#include <bit>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "tests/gpu/simt/scheduler.h"

namespace simt {

/// What mma.m16n8k16 takes of one lane.
struct Operands {
  unsigned a[4];
  unsigned b[2];
};

/// One of the two numbers in a word.
template <class Half>
double number_in(unsigned word, int i) {
  const auto bits = static_cast<unsigned short>(word >> 16 * i);
  return static_cast<double>(static_cast<float>(std::bit_cast<Half>(bits)));
}

/// c += A B as mma.sync.m16n8k16.row.col.f32.{f16.f16 or bf16.bf16}.f32 does it: A is 16 x 16 (four
/// pairs a lane), B 16 x 8 (two pairs), c 16 x 8 float, in the fragment layout of the PTX manual
/// ("Matrix Fragments for mma.m16n8k16 with floating point type"). Sums are made in double and
/// rounded once. Hardware rounds more often, so tests on a GPU need a tolerance.
template <class Half>
void mma_m16n8k16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2], Site site) {
  const Operands mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  const std::uint64_t* all =
      exchange({Op::kShuffle, ~0u, site}, reinterpret_cast<std::uintptr_t>(&mine));
  const auto of_lane = [all](int i) -> const Operands& {
    return *reinterpret_cast<const Operands*>(all[i]);
  };
  const int group = static_cast<int>(lane()) / 4, in_group = static_cast<int>(lane()) % 4;
  for (int i = 0; i < 4; ++i) {
    const int row = group + 8 * (i / 2), column = 2 * in_group + i % 2;
    double sum = static_cast<double>(c[i]);
    for (int k = 0; k < 16; ++k) {
      const int pair = k % 8 / 2, upper = k / 8;
      sum += number_in<Half>(of_lane(4 * (row % 8) + pair).a[row / 8 + 2 * upper], k % 2) *
             number_in<Half>(of_lane(4 * column + pair).b[upper], k % 2);
    }
    c[i] = static_cast<float>(sum);
  }
  // The operands are on the lanes' stacks: no lane leaves before all have read.
  exchange({Op::kWarp, ~0u, site}, 0);
}

/// ldmatrix.sync.m8n8.x4.b16, with .trans or without: lane 8 m + r gives the address of row r of
/// matrix m (8 numbers of 16 bits, at a multiple of 16 bytes); of each matrix a lane gets two
/// neighbours of row lane / 4, or of column lane / 4 with .trans.
template <bool kTransposed>
void load_matrices(unsigned (&to)[4], const void* row, Site site) {
  if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) fail("misaligned matrix row", site);
  const std::uint64_t* all =
      exchange({Op::kShuffle, ~0u, site}, reinterpret_cast<std::uintptr_t>(row));
  const unsigned major = lane() / 4, minor = 2 * (lane() % 4);
  for (unsigned m = 0; m < 4; ++m) {
    to[m] = 0;
    for (unsigned i = 0; i < 2; ++i) {
      const unsigned r = kTransposed ? minor + i : major, c = kTransposed ? major : minor + i;
      const auto* numbers = reinterpret_cast<const unsigned short*>(all[8 * m + r]);
      to[m] |= static_cast<unsigned>(numbers[c]) << 16 * i;
    }
  }
  // All lanes read at one time: none writes what another has not read yet.
  exchange({Op::kWarp, ~0u, site}, 0);
}

}  // namespace simt
