#include "gpu/engine/tap_ring.h"

#include <algorithm>
#include <cstring>
#include <cuda_runtime_api.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/tensor/weight_block.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/device/error.h"

namespace qaq::cuda {
namespace {

// What is widened as one piece of work.
constexpr std::int64_t kNumbersTogether = std::int64_t{1} << 16;

// Numbers of rows [first_row, first_row + n_rows) of a head as the region has them.
std::int64_t head_numbers(const TapBlock& block) {
  if (block.what == TapKind::attention) return triangle_size(block.first_row, block.n_rows);
  if (block.what == TapKind::attention_stats) return block.n_rows + block.n_cols;
  return block.n_rows * block.n_cols;
}

// One row as the region has it into n_cols float32 numbers.
void widen(const TapBlock& block, std::int64_t position, const std::byte* from, float* to) {
  const auto n_cols = static_cast<std::size_t>(block.n_cols);
  if (block.what == TapKind::attention) {
    const auto n_seen = static_cast<std::size_t>(position + 1);
    std::copy_n(reinterpret_cast<const float*>(from), n_seen, to);
    std::fill(to + n_seen, to + n_cols, 0.0f);
    return;
  }
  const WeightType type = block.dtype == DType::f32   ? WeightType::f32
                          : block.dtype == DType::f16 ? WeightType::f16
                                                      : WeightType::bf16;
  decode_row(type, {from, n_cols * static_cast<std::size_t>(bytes_of(block.dtype))}, {to, n_cols});
}

// Whether a region has the very bytes that the sink gets. Ids must not pass through floating point.
bool goes_as_it_is(const TapBlock& block) {
  return block.what == TapKind::attention_stats || block.what == TapKind::logits_top;
}

// Blocks of rows into float32.
void widen_rows(const TapBlock& block, const std::byte* from, float* to) {
  const std::int64_t n_rows = block.n_heads * block.n_rows;
  TapBlock head = block;
  head.n_heads = 1;
  const std::int64_t head_bytes = TapRing::region_bytes(head);
  const std::int64_t together = std::max<std::int64_t>(1, kNumbersTogether / block.n_cols);
  parallel_for((n_rows + together - 1) / together, [&](std::int64_t part) {
    for (std::int64_t i = part * together; i < std::min(n_rows, (part + 1) * together); ++i) {
      const std::int64_t row = i % block.n_rows;
      TapBlock before = head;
      before.n_rows = row;
      widen(block, block.first_row + row,
            from + i / block.n_rows * head_bytes + TapRing::region_bytes(before),
            to + i * block.n_cols);
    }
  });
}

}  // namespace

std::int64_t TapRing::region_bytes(const TapBlock& block) {
  return block.n_heads * head_numbers(block) * bytes_of(block.dtype);
}

TapRing::TapRing(std::byte* device, const Sizes& sizes)
    : device_(device),
      sizes_(sizes),
      pinned_(sizes.pinned_bytes),
      pool_(sizes.pool_bytes),
      device_ring_(sizes.device_bytes),
      pinned_ring_(sizes.pinned_bytes),
      thread_([this] { run(); }) {}

TapRing::~TapRing() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TapRing::throw_failure() {
  if (failure_) std::rethrow_exception(failure_);
}

std::byte* TapRing::take(std::int64_t bytes) {
  std::unique_lock lock(mutex_);
  for (;;) {
    throw_failure();
    if (const auto at = device_ring_.take(bytes)) return region_ = device_ + *at;
    if (device_ring_.empty()) throw std::logic_error("the ring of taps is too small");
    changed_.wait(lock);
  }
}

void TapRing::put(TapSink& sink, const TapBlock& block, const Stream& stream) {
  const auto ready = std::make_shared<Event>();
  ready->record(stream);
  {
    const std::lock_guard lock(mutex_);
    throw_failure();
    add_pieces({.block = block,
                .sink = &sink,
                .device = region_,
                .bytes = region_bytes(block),
                .ready = ready});
    idle_ = false;
  }
  changed_.notify_all();
}

// Whole heads as far as they fit a piece, else rows of one.
void TapRing::add_pieces(const Piece& whole) {
  const TapBlock& all = whole.block;
  const std::int64_t head_bytes = whole.bytes / all.n_heads;
  // Statistics of a head are not rows.
  const std::int64_t least = all.what == TapKind::attention_stats ? 1 : 0;
  const std::int64_t together =
      std::clamp<std::int64_t>(sizes_.piece_bytes / head_bytes, least, all.n_heads);
  const auto add = [&](std::int64_t head, std::int64_t n_heads, std::int64_t row,
                       std::int64_t n_rows, std::int64_t skipped) {
    Piece piece = whole;
    piece.block.first_head = all.first_head + head;
    piece.block.n_heads = n_heads;
    piece.block.first_row = all.first_row + row;
    piece.block.n_rows = n_rows;
    piece.device = whole.device + head * head_bytes + skipped;
    piece.bytes = region_bytes(piece.block);
    waiting_.push_back(std::move(piece));
  };
  if (together > 0) {
    for (std::int64_t head = 0; head < all.n_heads; head += together) {
      add(head, std::min(together, all.n_heads - head), 0, all.n_rows, 0);
    }
  } else {
    // No row is longer than the last.
    TapBlock last = all;
    last.n_heads = last.n_rows = 1;
    last.first_row = all.first_row + all.n_rows - 1;
    const std::int64_t n = std::max<std::int64_t>(1, sizes_.piece_bytes / region_bytes(last));
    for (std::int64_t head = 0; head < all.n_heads; ++head) {
      for (std::int64_t row = 0; row < all.n_rows; row += n) {
        TapBlock before = all;
        before.n_heads = 1;
        before.n_rows = row;
        add(head, 1, row, std::min(n, all.n_rows - row), region_bytes(before));
      }
    }
  }
  waiting_.back().last_of_region = true;
}

void TapRing::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return idle_ || failure_; });
  throw_failure();
}

void TapRing::drop() {
  std::unique_lock lock(mutex_);
  dropping_ = true;
  changed_.wait(lock, [this] { return idle_ || failure_; });
  dropping_ = false;
}

// Copies go ahead of what is delivered, as far as the pinned memory reaches.
void TapRing::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty() || !copying_.empty(); });
    if (stopping_ || failure_) break;
    lock.unlock();
    try {
      while (copy_next()) {
      }
      deliver_oldest();
      lock.lock();
    } catch (...) {
      lock.lock();
      failure_ = std::current_exception();
    }
    idle_ = waiting_.empty() && copying_.empty();
    changed_.notify_all();
  }
  lock.unlock();
  // Copies that are on their way read and write what the ring's owner will free.
  cudaStreamSynchronize(stream_.get());
}

// Queues the copy of the next piece; false where none waits or there is no room.
bool TapRing::copy_next() {
  Piece piece;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return false;
    const auto at = pinned_ring_.take(waiting_.front().bytes);
    if (!at) {
      if (pinned_ring_.empty()) throw std::logic_error("the pinned memory of taps is too small");
      return false;
    }
    piece = std::move(waiting_.front());
    waiting_.pop_front();
    piece.pinned = pinned_.data() + *at;
  }
  piece.ready->hold(stream_);
  check(
      cudaMemcpyAsync(const_cast<std::byte*>(piece.pinned), piece.device,
                      static_cast<std::size_t>(piece.bytes), cudaMemcpyDeviceToHost, stream_.get()),
      "copying taps");
  piece.copied = std::make_shared<Event>();
  piece.copied->record(stream_);
  copying_.push_back(std::move(piece));
  return true;
}

void TapRing::deliver_oldest() {
  if (copying_.empty()) return;
  const Piece piece = std::move(copying_.front());
  copying_.pop_front();
  piece.copied->wait();
  bool wanted = true;
  {
    const std::lock_guard lock(mutex_);
    wanted = !dropping_;
    if (piece.last_of_region) device_ring_.release();
  }
  changed_.notify_all();
  if (wanted) hand_out(piece);
  pinned_ring_.release();
}

void TapRing::hand_out(const Piece& piece) {
  const TapBlock& block = piece.block;
  const bool as_it_is = goes_as_it_is(block);
  const std::int64_t n =
      as_it_is ? block.n_heads * head_numbers(block) : block.n_heads * block.n_rows * block.n_cols;
  const auto numbers = pool_.take(n);
  if (as_it_is) {
    std::memcpy(numbers.get(), piece.pinned, static_cast<std::size_t>(piece.bytes));
  } else {
    widen_rows(block, piece.pinned, numbers.get());
  }
  TapBlock out = block;
  out.dtype = DType::f32;
  out.bytes = std::as_bytes(std::span<const float>(numbers.get(), static_cast<std::size_t>(n)));
  out.owner = numbers;
  piece.sink->put(out);
}

}  // namespace qaq::cuda
