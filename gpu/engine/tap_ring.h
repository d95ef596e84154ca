#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/engine/tap.h"
#include "core/engine/tap_pool.h"
#include "gpu/device/buffer.h"
#include "gpu/device/stream.h"
#include "gpu/engine/byte_ring.h"

namespace qaq::cuda {

/// Carries taps from the GPU to their sink while the model goes on. The model's stream writes into
/// a region of device memory; a second stream copies it into pinned memory; a thread of the ring's
/// own widens the numbers and gives them to the sink, in the order in which they were handed over.
/// A slow sink fills the ring, and take() waits: memory is bounded, and the model waits for the
/// disk.
class TapRing {
 public:
  struct Sizes {
    std::int64_t device_bytes = 0;
    std::int64_t pinned_bytes = 0;
    std::int64_t piece_bytes = 0;  ///< of one copy, at most; a row may be larger
    std::int64_t pool_bytes = 0;   ///< of what a sink may hold
  };
  /// `device` has sizes.device_bytes. Throws Error{work}.
  TapRing(std::byte* device, const Sizes& sizes);
  /// Drops what has not reached its sink.
  ~TapRing();
  TapRing(const TapRing&) = delete;
  TapRing& operator=(const TapRing&) = delete;

  /// Device memory for what is tapped next. Waits for room. Throws what the sink or the GPU threw.
  std::byte* take(std::int64_t bytes);
  /// Hands over the region that was taken last, once what is queued on `stream` is done. `block`
  /// says what it holds: heads one behind the other, each with rows of n_cols numbers of
  /// block.dtype; scores as triangles (kernels/triangle.h), statistics as the sink gets them. The
  /// sink gets float32, in pieces, of statistics in whole heads. What the region holds behind that
  /// stays on the GPU.
  void put(TapSink& sink, const TapBlock& block, const Stream& stream);
  /// Returns when the sinks have everything. Throws as take().
  void drain();
  /// Returns when the sinks get no more: what has not reached them is dropped.
  void drop();

  /// Bytes that put() reads of a region with this content.
  static std::int64_t region_bytes(const TapBlock& block);

 private:
  /// Some heads of a region, or some rows of a head.
  struct Piece {
    TapBlock block;
    TapSink* sink = nullptr;
    const std::byte* device = nullptr;
    std::int64_t bytes = 0;
    bool last_of_region = false;
    std::shared_ptr<const Event> ready{};  ///< on the model's stream
    const std::byte* pinned = nullptr;
    std::shared_ptr<Event> copied{};
  };
  void add_pieces(const Piece& whole);
  void run();
  bool copy_next();
  void deliver_oldest();
  void hand_out(const Piece& piece);
  std::shared_ptr<Event> event();
  void throw_failure();

  std::byte* device_;
  Sizes sizes_;
  PinnedBuffer<std::byte> pinned_;
  TapPool pool_;
  Stream stream_;

  std::mutex mutex_;
  std::condition_variable changed_;
  ByteRing device_ring_;
  std::byte* region_ = nullptr;  // taken last
  std::deque<Piece> waiting_;
  bool stopping_ = false;
  bool idle_ = true;
  bool dropping_ = false;
  std::exception_ptr failure_;

  ByteRing pinned_ring_;       // the thread's own, as what follows
  std::deque<Piece> copying_;  // on their way
  std::thread thread_;         // last: it uses all of the above
};

}  // namespace qaq::cuda
