#include "tests/gpu/simt/streams.h"

#include <algorithm>
#include <utility>

#include "tests/gpu/simt/runtime.h"
#include "tests/gpu/simt/simt.h"

namespace simt {
namespace {

/// Steps until done(). Streams that wait for each other would never be.
template <class Done>
cudaError_t step_until(Done done) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  while (!done()) {
    if (Streams::instance().step()) continue;
    set_report("streams wait for each other");
    set_sticky(cudaErrorLaunchTimeout);
    break;
  }
  return remember(standing_error());
}

bool finished(const Piece& piece) { return !piece.graph || piece.graph->finished(); }

/// Why a stream can be neither waited for nor asked.
cudaError_t wait_for(const Stream* stream) {
  if (const cudaError_t error = use_of(stream); error != cudaSuccess) return error;
  const auto& capture = stream->capturing.capture;
  return capture ? invalidate(*capture, cudaErrorStreamCaptureUnsupported) : cudaSuccess;
}

}  // namespace

Streams& Streams::instance() {
  static Streams& instance = *new Streams;
  return instance;
}

void Streams::defer(bool on, std::uint64_t seed) {
  drop_captures();
  deferred_ = on;
  random_ = Random(seed);
  const auto drop = [](Stream& stream) {
    for (const Piece& piece : stream.queue) {
      if (piece.records) piece.records->done = std::max(piece.records->done, piece.version);
    }
    stream.queue.clear();
  };
  drop(null_stream_);
  for (auto& [handle, stream] : streams_) drop(*stream);
  sweep();
}

cudaStream_t Streams::create(bool with_null_stream) {
  auto stream = std::make_unique<Stream>();
  stream->with_null_stream = with_null_stream;
  const auto handle = reinterpret_cast<cudaStream_t>(stream.get());
  streams_[handle] = std::move(stream);
  return handle;
}

Stream* Streams::find(cudaStream_t handle) {
  if (!handle || handle == cudaStreamLegacy) return &null_stream_;
  const auto found = streams_.find(handle);
  return found == streams_.end() || found->second->destroyed ? nullptr : found->second.get();
}

void Streams::destroy(Stream& stream) {
  leave_capture(stream);
  stream.destroyed = true;
  sweep();
}

void Streams::leave(const Capture& capture) {
  for (auto& [handle, stream] : streams_) {
    if (stream->capturing.capture.get() == &capture) stream->capturing = {};
  }
}

void Streams::sweep() {
  std::erase_if(streams_, [](const auto& entry) {
    return entry.second->destroyed && entry.second->queue.empty();
  });
}

std::size_t Streams::live() const {
  return static_cast<std::size_t>(
      std::count_if(streams_.begin(), streams_.end(),
                    [](const auto& entry) { return !entry.second->destroyed; }));
}

cudaError_t Streams::perform(const Piece& piece) {
  if (piece.records) piece.records->reach(piece.version, now_);
  // After a failure nothing runs any more.
  const cudaError_t standing = standing_error();
  if ((!piece.work && !piece.graph) || standing != cudaSuccess) return standing;
  ++now_;
  const cudaError_t error = piece.graph ? piece.graph->step(random_) : piece.work();
  if (error != cudaSuccess) set_sticky(error);
  return error;
}

cudaError_t Streams::submit(Stream& stream, Piece piece) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (!deferred_) {
    cudaError_t error = perform(piece);
    while (error == cudaSuccess && !finished(piece)) error = perform(piece);
    return error;
  }
  piece.ticket = tickets_++;
  stream.queue.push_back(std::move(piece));
  return cudaSuccess;
}

/// Work on the null stream and on streams that take turns with it runs in the order of queueing.
bool Streams::null_stream_allows(const Stream& stream) const {
  const std::uint64_t ticket = stream.queue.front().ticket;
  const auto later = [ticket](const Stream& other) {
    return other.queue.empty() || other.queue.front().ticket > ticket;
  };
  if (&stream != &null_stream_) return !stream.with_null_stream || later(null_stream_);
  return std::all_of(streams_.begin(), streams_.end(), [&](const auto& entry) {
    return !entry.second->with_null_stream || later(*entry.second);
  });
}

bool Streams::may_run(const Stream& stream) const {
  if (stream.queue.empty()) return false;
  const Piece& next = stream.queue.front();
  if (next.awaits && next.awaits->done < next.version) return false;
  if (next.graph && !next.graph->may_run()) return false;
  return null_stream_allows(stream);
}

bool Streams::step() {
  std::vector<Stream*> ready;
  if (may_run(null_stream_)) ready.push_back(&null_stream_);
  for (auto& [handle, stream] : streams_) {
    if (may_run(*stream)) ready.push_back(stream.get());
  }
  if (ready.empty()) return false;
  Stream& stream = *ready[random_.below(ready.size())];
  const Piece& next = stream.queue.front();
  if (perform(next) != cudaSuccess || finished(next)) stream.queue.pop_front();
  sweep();
  return true;
}

bool Streams::idle() const {
  return null_stream_.queue.empty() &&
         std::all_of(streams_.begin(), streams_.end(),
                     [](const auto& entry) { return entry.second->queue.empty(); });
}

bool Streams::idle(const Stream& stream) const { return stream.queue.empty(); }

cudaError_t use_of(const Stream* stream) {
  if (!stream) return remember(cudaErrorInvalidResourceHandle);
  return Streams::instance().is_null(*stream) ? use_of_null_stream() : cudaSuccess;
}

void defer(bool on, std::uint64_t seed) {
  const ApiCall call;
  Streams::instance().defer(on, seed);
  clear_errors();
}

std::size_t live_streams() {
  const ApiCall call;
  return Streams::instance().live();
}

cudaError_t submit(cudaStream_t handle, std::function<cudaError_t()> work) {
  Stream* stream = Streams::instance().find(handle);
  if (const cudaError_t error = use_of(stream); error != cudaSuccess) return error;
  if (stream->capturing.capture) return add_to_capture(*stream, std::move(work));
  return Streams::instance().submit(*stream, {.work = std::move(work)});
}

cudaError_t drain_all() {
  return step_until([] { return Streams::instance().idle(); });
}

cudaError_t drain(cudaStream_t handle) {
  const Stream* stream = Streams::instance().find(handle);
  if (const cudaError_t error = wait_for(stream); error != cudaSuccess) return error;
  return step_until([stream] { return Streams::instance().idle(*stream); });
}

cudaError_t drain_event(const Event& event, unsigned long version) {
  return step_until([&event, version] { return event.done >= version; });
}

}  // namespace simt

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const simt::ApiCall call;
  if (const cudaError_t error = simt::standing_error(); error != cudaSuccess) {
    return simt::remember(error);
  }
  *stream = simt::Streams::instance().create((flags & cudaStreamNonBlocking) == 0);
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

// Does not wait: what is queued is still done.
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  const simt::ApiCall call;
  simt::Streams& streams = simt::Streams::instance();
  simt::Stream* stream = streams.find(handle);
  if (!stream || streams.is_null(*stream)) return simt::remember(cudaErrorInvalidResourceHandle);
  streams.destroy(*stream);
  return simt::remember(simt::standing_error());
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const simt::ApiCall call;
  return simt::drain(stream);
}

cudaError_t cudaDeviceSynchronize() {
  const simt::ApiCall call;
  if (const cudaError_t error = simt::wait_for_device(); error != cudaSuccess) return error;
  return simt::drain_all();
}

// Who asks and asks again makes the streams go on.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  const simt::ApiCall call;
  simt::Streams& streams = simt::Streams::instance();
  const simt::Stream* stream = streams.find(handle);
  if (const cudaError_t error = simt::wait_for(stream); error != cudaSuccess) return error;
  if (const cudaError_t error = simt::standing_error(); error != cudaSuccess) return error;
  if (streams.idle(*stream)) return cudaSuccess;
  streams.step();
  return cudaErrorNotReady;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  const simt::ApiCall call;
  return simt::submit(stream, [=] {
    const simt::HostFunction running;
    function(argument);
    return cudaSuccess;
  });
}
}
