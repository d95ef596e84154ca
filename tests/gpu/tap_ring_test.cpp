// Taps on their way from the GPU to the sink, on the host's SIMT shim, whose streams run in random
// legal order: what is handed over comes whole and in order, however small the memory, and whatever
// goes wrong ends the run.
#include "gpu/engine/tap_ring.h"

#include <gtest/gtest.h>
#include <numeric>
#include <thread>
#include <vector>

#include "gpu/cuda/kernels/triangle.h"
#include "gpu/device/error.h"
#include "tests/gpu/simt/simt.h"

namespace qaq::cuda {
namespace {

TEST(ByteRing, GivesRegionsInOrderAndNeverTwice) {
  ByteRing ring(1024);
  EXPECT_EQ(ring.take(200), 0);
  EXPECT_EQ(ring.take(512), 256);
  EXPECT_EQ(ring.take(256), 768);
  EXPECT_FALSE(ring.take(1)) << "full";
  ring.release();
  EXPECT_FALSE(ring.take(257)) << "only the first 256 bytes are free";
  EXPECT_EQ(ring.take(256), 0);
  EXPECT_FALSE(ring.take(1));
  ring.release();
  EXPECT_FALSE(ring.take(768));
  EXPECT_EQ(ring.take(512), 256);
  ring.release();
  ring.release();
  ring.release();
  EXPECT_TRUE(ring.empty());
  EXPECT_FALSE(ring.take(1025)) << "never";
  EXPECT_EQ(ring.take(1024), 0);
}

/// Keeps what comes; refuses after `n_good` blocks.
class Sink : public TapSink {
 public:
  bool wants(TapKind, std::int64_t, std::int64_t, std::int64_t) const override { return true; }
  void put(const TapBlock& block) override {
    if (n_good-- == 0) throw std::runtime_error("the disk is full");
    const auto numbers = block.floats();
    got.insert(got.end(), numbers.begin(), numbers.end());
    blocks.push_back(block);
    blocks.back().owner = nullptr;
    if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::vector<float> got;
  std::vector<TapBlock> blocks;
  int n_good = 1 << 30;
  bool slow = false;
};

/// A ring with device memory of its own, and a stream that writes into it.
class Rig {
 public:
  explicit Rig(std::int64_t ring_bytes, std::int64_t piece_bytes, std::uint64_t seed = 0) {
    if (seed > 0) simt::defer(true, seed);
    check(cudaMalloc(&memory_, static_cast<std::size_t>(ring_bytes)), "cudaMalloc");
    ring.emplace(static_cast<std::byte*>(memory_),
                 TapRing::Sizes{ring_bytes, 2 * ByteRing::rounded(piece_bytes), piece_bytes,
                                std::int64_t{1} << 20});
  }
  ~Rig() {
    ring.reset();
    cudaFree(memory_);
    simt::defer(false);
  }
  /// Hands over a block whose numbers, as the region has them, are these.
  void put(Sink& sink, const TapBlock& block, const std::vector<float>& numbers) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(TapRing::region_bytes(block)));
    ASSERT_EQ(bytes.size(), numbers.size() * static_cast<std::size_t>(bytes_of(block.dtype)));
    store_as(numbers, block.dtype, bytes.data());
    std::byte* region = ring->take(std::ssize(bytes));
    check(
        cudaMemcpyAsync(region, bytes.data(), bytes.size(), cudaMemcpyHostToDevice, stream_.get()),
        "copy");
    kept_.push_back(std::move(bytes));  // read when the copy runs
    ring->put(sink, block, stream_);
  }
  std::optional<TapRing> ring;

 private:
  void* memory_ = nullptr;
  std::vector<std::vector<std::byte>> kept_;
  Stream stream_;
};

std::vector<float> counted(std::int64_t n, float first) {
  std::vector<float> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

TapBlock key_block(std::int64_t layer, DType dtype) {
  return {.what = TapKind::key,
          .layer = layer,
          .n_heads = 3,
          .first_row = 2,
          .n_rows = 5,
          .n_cols = 8,
          .dtype = dtype};
}

TEST(TapRing, GivesWhatWasHandedOverInOrder) {
  for (const std::uint64_t seed : {0, 1, 2, 3, 4, 5}) {
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
      // A piece holds a row, two heads, or all; the ring one region, or several.
      for (const std::int64_t piece_bytes : {32, 200, 10000}) {
        Rig rig(piece_bytes == 200 ? 2048 : 512, piece_bytes, seed);
        Sink sink;
        sink.slow = seed == 2;
        std::vector<float> want;
        for (std::int64_t layer = 0; layer < 6; ++layer) {
          // Whole numbers up to 256 are exact in all three.
          const auto numbers = counted(3 * 5 * 8, static_cast<float>(layer));
          rig.put(sink, key_block(layer, dtype), numbers);
          want.insert(want.end(), numbers.begin(), numbers.end());
        }
        rig.ring->drain();
        EXPECT_EQ(sink.got, want) << "seed " << seed << ", " << name_of(dtype);
        for (const TapBlock& block : sink.blocks) EXPECT_EQ(block.dtype, DType::f32);
      }
    }
  }
}

TEST(TapRing, MakesWholeRowsOfTriangles) {
  const TapBlock block{.what = TapKind::attention,
                       .layer = 0,
                       .first_head = 1,
                       .n_heads = 2,
                       .first_row = 2,
                       .n_rows = 4,
                       .n_cols = 6};
  // Rows of 3, 4, 5 and 6 numbers, each up to a multiple of four.
  const std::int64_t n = triangle_size(2, 4);
  ASSERT_EQ(n, 4 + 4 + 8 + 8);
  for (const std::int64_t piece_bytes : {40, 100, 4096}) {
    Rig rig(1024, piece_bytes, 7);
    Sink sink;
    rig.put(sink, block, counted(2 * n, 1));
    rig.ring->drain();
    const std::vector<float> want{1,  2,  3,  0,  0,  0,  5,  6,  7,  8,  0,  0,  9,  10, 11, 12,
                                  13, 0,  17, 18, 19, 20, 21, 22, 25, 26, 27, 0,  0,  0,  29, 30,
                                  31, 32, 0,  0,  33, 34, 35, 36, 37, 0,  41, 42, 43, 44, 45, 46};
    EXPECT_EQ(sink.got, want) << piece_bytes;
    EXPECT_EQ(sink.blocks.front().first_head, 1);
  }
}

// A head's entropies and sums stay together, whatever a piece holds.
TEST(TapRing, HandsOnStatisticsByHead) {
  const TapBlock block{.what = TapKind::attention_stats,
                       .layer = 0,
                       .first_head = 1,
                       .n_heads = 3,
                       .first_row = 2,
                       .n_rows = 4,
                       .n_cols = 6};
  for (const std::int64_t piece_bytes : {32, 100, 4096}) {
    Rig rig(1024, piece_bytes, 7);
    Sink sink;
    rig.put(sink, block, counted(3 * 10, 1));
    rig.ring->drain();
    EXPECT_EQ(sink.got, counted(3 * 10, 1)) << piece_bytes;
    EXPECT_EQ(sink.blocks.size(), piece_bytes == 32 ? 3u : piece_bytes == 100 ? 2u : 1u);
    for (const TapBlock& piece : sink.blocks) {
      EXPECT_EQ(piece.n_rows, 4);
      EXPECT_EQ(piece.n_cols, 6);
      EXPECT_EQ(std::ssize(piece.bytes), 4 * piece.n_heads * 10);
    }
    EXPECT_EQ(sink.blocks.front().first_head, 1);
  }
}

TEST(TapRing, WhatTheSinkThrowsComesOutOfTheNextCall) {
  Rig rig(512, 10000, 3);
  Sink sink;
  sink.n_good = 1;
  const auto numbers = counted(3 * 5 * 8, 0);
  EXPECT_THROW(
      {
        for (std::int64_t layer = 0; layer < 6; ++layer) {
          rig.put(sink, key_block(layer, DType::f32), numbers);
        }
        rig.ring->drain();
      },
      std::runtime_error);
  EXPECT_THROW(rig.ring->drain(), std::runtime_error) << "and again";
}

TEST(TapRing, GoesAwayWithWhatIsUnderWay) {
  const std::size_t before = simt::live_allocations() + simt::live_streams() + simt::live_events();
  for (const std::uint64_t seed : {1, 2, 3}) {
    Sink sink;  // before the ring, which hands out until it goes
    Rig rig(2048, 200, seed);
    for (std::int64_t layer = 0; layer < 4; ++layer) {
      rig.put(sink, key_block(layer, DType::f32), counted(3 * 5 * 8, 0));
    }
  }
  EXPECT_EQ(simt::live_allocations() + simt::live_streams() + simt::live_events(), before);
}

// A run that is given up may leave its sink to be destroyed while the engine still is there.
TEST(TapRing, WhatIsDroppedReachesNoSinkAndTheRingGoesOn) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    Rig rig(2048, 200, seed);
    {
      Sink gone;
      gone.slow = true;
      for (std::int64_t layer = 0; layer < 4; ++layer) {
        rig.put(gone, key_block(layer, DType::f32), counted(3 * 5 * 8, 0));
      }
      rig.ring->drop();
    }
    Sink sink;
    const auto numbers = counted(3 * 5 * 8, 1);
    rig.put(sink, key_block(9, DType::f32), numbers);
    rig.ring->drain();
    EXPECT_EQ(sink.got, numbers);
  }
}

TEST(TapRing, ARegionLargerThanTheRingIsAMistake) {
  Rig rig(512, 200);
  EXPECT_THROW(rig.ring->take(513), std::logic_error);
}

}  // namespace
}  // namespace qaq::cuda
