// Streams and events, as queues of work. Only the shim's sources include this.
#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "tests/gpu/simt/capture.h"
#include "tests/gpu/simt/graphs.h"
#include "tests/gpu/simt/random.h"

namespace simt {

struct Event {
  bool timed = true;
  unsigned long recorded = 0;  ///< how often
  unsigned long done = 0;      ///< the last record that was reached
  unsigned long at = 0;        ///< pieces of work that were done before
  CapturePlace captured;       ///< of the last record, where that was in a capture

  bool complete() const { return done >= recorded; }
  void reach(unsigned long version, unsigned long now) {
    done = done < version ? version : done;
    at = now;
  }
};

struct Piece {
  std::function<cudaError_t()> work = {};
  std::shared_ptr<Event> records = {};
  std::shared_ptr<Event> awaits = {};
  std::shared_ptr<GraphRun> graph = {};  ///< in the place of work
  unsigned long version = 0;             ///< the record that it makes or awaits
  std::uint64_t ticket = 0;              ///< when it was queued
};

struct Stream {
  bool with_null_stream = true;  ///< takes turns with the null stream
  bool destroyed = false;        ///< goes when its work is done
  std::deque<Piece> queue;
  CapturePlace capturing;
};

class Streams {
 public:
  static Streams& instance();

  void defer(bool on, std::uint64_t seed);

  cudaStream_t create(bool with_null_stream);
  /// Null where there is no such stream.
  Stream* find(cudaStream_t handle);
  bool is_null(const Stream& stream) const { return &stream == &null_stream_; }
  void destroy(Stream& stream);
  /// Takes all streams out of it.
  void leave(const Capture& capture);
  std::size_t live() const;

  cudaError_t submit(Stream& stream, Piece piece);
  /// Does one piece, or one of a graph's; false where none may run.
  bool step();
  bool idle() const;
  /// Pieces of work, or of graphs, that were done so far.
  unsigned long now() const { return now_; }
  /// Whether what a wait for this stream waits for is done.
  bool idle(const Stream& stream) const;

 private:
  bool may_run(const Stream& stream) const;
  bool null_stream_allows(const Stream& stream) const;
  cudaError_t perform(const Piece& piece);
  void sweep();

  std::map<cudaStream_t, std::unique_ptr<Stream>> streams_;
  Stream null_stream_;
  bool deferred_ = false;
  Random random_;
  std::uint64_t tickets_ = 0;
  unsigned long now_ = 0;
};

/// Why a stream may not be used now; null: there is none such.
cudaError_t use_of(const Stream* stream);

}  // namespace simt
