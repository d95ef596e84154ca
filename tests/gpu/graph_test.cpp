// Stream capture and graphs: what the shim plays of them, and the classes over them.
#include "gpu/device/graph.h"

#include <array>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "gpu/cuda/portable.h"
#include "gpu/device/buffer.h"
#include "gpu/device/error.h"
#include "gpu/device/stream.h"
#include "tests/gpu/simt/simt.h"

namespace qaq {
namespace {

constexpr std::uint64_t kOrders = 50;
constexpr unsigned kRow = 4;  ///< numbers that a kernel writes

__global__ void fill(float* out, float value) { out[threadIdx.x] = value; }
__global__ void add_rows(float* out, const float* a, const float* b) {
  out[threadIdx.x] = a[threadIdx.x] + b[threadIdx.x];
}

/// A device with two streams, events and three rows of numbers, of which nothing may be left.
class Captures : public testing::Test {
 protected:
  void SetUp() override {
    simt::reset();
    make_streams(cudaStreamNonBlocking);
    for (cudaEvent_t& event : events_) {
      EXPECT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
    }
    for (float*& row : rows_) {
      EXPECT_EQ(cudaMalloc(reinterpret_cast<void**>(&row), kRow * sizeof(float)), cudaSuccess);
    }
  }
  void TearDown() override {
    simt::reset();
    destroy_streams();
    for (cudaEvent_t event : events_) EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
    for (float* row : rows_) EXPECT_EQ(cudaFree(row), cudaSuccess);
    EXPECT_EQ(simt::live_graphs(), 0u);
    EXPECT_EQ(simt::live_streams(), 0u);
    EXPECT_EQ(simt::live_events(), 0u);
    EXPECT_EQ(simt::live_allocations(), 0u);
    simt::reset();
  }

  void make_streams(unsigned flags) {
    EXPECT_EQ(cudaStreamCreateWithFlags(&main_, flags), cudaSuccess);
    EXPECT_EQ(cudaStreamCreateWithFlags(&side_, flags), cudaSuccess);
  }
  void destroy_streams() {
    EXPECT_EQ(cudaStreamDestroy(main_), cudaSuccess);
    EXPECT_EQ(cudaStreamDestroy(side_), cudaSuccess);
  }

  cudaError_t queue_fill(cudaStream_t stream, std::size_t row, float value) {
    return cuda::launch(fill, 1, kRow, 0, stream, rows_[row], value);
  }
  /// Row 2 becomes the sum of rows 0 and 1.
  cudaError_t queue_sum(cudaStream_t stream) {
    return cuda::launch(add_rows, 1, kRow, 0, stream, rows_[2], rows_[0], rows_[1]);
  }
  void wait_for(cudaStream_t stream, cudaStream_t other, std::size_t event) {
    EXPECT_EQ(cudaEventRecord(events_[event], other), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(stream, events_[event], 0), cudaSuccess);
  }

  void begin(cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal) {
    EXPECT_EQ(cudaStreamBeginCapture(main_, mode), cudaSuccess);
  }
  cudaError_t end() {
    EXPECT_EQ(graph_, nullptr);
    const cudaError_t error = cudaStreamEndCapture(main_, &graph_);
    EXPECT_EQ(graph_ == nullptr, error != cudaSuccess);
    return error;
  }
  /// Ends the capture and makes its graph ready.
  cudaGraphExec_t instantiate() {
    EXPECT_EQ(end(), cudaSuccess);
    cudaGraphExec_t exec = nullptr;
    EXPECT_EQ(cudaGraphInstantiate(&exec, graph_, 0), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
    graph_ = nullptr;
    return exec;
  }
  cudaStreamCaptureStatus status(cudaStream_t stream) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    EXPECT_EQ(cudaStreamIsCapturing(stream, &status), cudaSuccess);
    return status;
  }
  void expect_usable() {
    EXPECT_EQ(status(main_), cudaStreamCaptureStatusNone);
    EXPECT_EQ(status(side_), cudaStreamCaptureStatusNone);
    cudaGetLastError();
    EXPECT_EQ(queue_fill(main_, 0, 9), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(main_), cudaSuccess);
    EXPECT_EQ(rows_[0][0], 9);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  }
  /// In a capture with one node, `call` gives the error and leaves no graph to be had.
  void expect_refused(const char* what, cudaError_t error,
                      const std::function<cudaError_t()>& call) {
    SCOPED_TRACE(what);
    begin();
    EXPECT_EQ(queue_fill(main_, 0, 1), cudaSuccess);
    EXPECT_EQ(call(), error);
    EXPECT_EQ(status(main_), cudaStreamCaptureStatusInvalidated);
    EXPECT_EQ(queue_fill(main_, 0, 1), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
    expect_usable();
  }

  cudaStream_t main_ = nullptr, side_ = nullptr;
  std::array<cudaEvent_t, 2> events_{};
  std::array<float*, 3> rows_{};
  cudaGraph_t graph_ = nullptr;
};

TEST_F(Captures, KeepTheWorkAndDoNotDoIt) {
  for (const bool deferred : {false, true}) {
    simt::defer(deferred);
    EXPECT_EQ(queue_fill(main_, 0, 1), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(main_), cudaSuccess);
    begin();
    EXPECT_EQ(status(main_), cudaStreamCaptureStatusActive);
    EXPECT_EQ(status(side_), cudaStreamCaptureStatusNone);
    EXPECT_EQ(queue_fill(main_, 0, 2), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(rows_[1], 0, sizeof(float), main_), cudaSuccess);
    const cudaGraphExec_t exec = instantiate();
    EXPECT_EQ(status(main_), cudaStreamCaptureStatusNone);
    EXPECT_EQ(cudaStreamSynchronize(main_), cudaSuccess);
    EXPECT_EQ(rows_[0][0], 1);
    EXPECT_EQ(cudaGraphLaunch(exec, main_), cudaSuccess);
    EXPECT_EQ(rows_[0][0], deferred ? 1 : 2);
    EXPECT_EQ(cudaStreamSynchronize(main_), cudaSuccess);
    EXPECT_EQ(rows_[0][0], 2);
    EXPECT_EQ(rows_[1][0], 0);
    EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  }
}

// What a graph is told when it is captured it keeps; what lies in memory it reads at each launch.
TEST_F(Captures, KeepArgumentsAndReadMemoryAnew) {
  float value = 1;
  float* host = nullptr;
  EXPECT_EQ(cudaMallocHost(reinterpret_cast<void**>(&host), kRow * sizeof(float)), cudaSuccess);
  begin();
  EXPECT_EQ(queue_fill(main_, 0, value), cudaSuccess);
  EXPECT_EQ(queue_sum(main_), cudaSuccess);
  EXPECT_EQ(cudaMemcpyAsync(host, rows_[2], kRow * sizeof(float), cudaMemcpyDeviceToHost, main_),
            cudaSuccess);
  const cudaGraphExec_t exec = instantiate();
  for (const float other : {10.0f, 20.0f}) {
    value = other;
    EXPECT_EQ(queue_fill(main_, 1, other), cudaSuccess);
    EXPECT_EQ(cudaGraphLaunch(exec, main_), cudaSuccess);
    EXPECT_EQ(host[kRow - 1], 1 + other);
  }
  EXPECT_EQ(cudaFreeHost(host), cudaSuccess);
  EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
}

TEST_F(Captures, OfNothingGiveAGraphOfNothing) {
  for (const bool deferred : {false, true}) {
    simt::defer(deferred);
    begin();
    const cudaGraphExec_t exec = instantiate();
    EXPECT_EQ(cudaGraphLaunch(exec, main_), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(main_), cudaSuccess);
    EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  }
}

class Forks : public Captures {
 protected:
  /// One branch a row, and their sum. In how many orders it is wrong.
  int wrong_orders(bool waits_for_side) {
    int wrong = 0;
    for (std::uint64_t seed = 1; seed <= kOrders; ++seed) {
      simt::defer(true, seed);
      queue_fill(main_, 0, 0);
      queue_fill(main_, 1, 0);
      begin();
      wait_for(side_, main_, 0);
      EXPECT_EQ(status(side_), cudaStreamCaptureStatusActive);
      queue_fill(side_, 1, 2);
      queue_fill(main_, 0, 1);
      if (waits_for_side) wait_for(main_, side_, 1);
      queue_sum(main_);
      // Joined too late for the sum.
      if (!waits_for_side) wait_for(main_, side_, 1);
      const cudaGraphExec_t exec = instantiate();
      EXPECT_EQ(status(side_), cudaStreamCaptureStatusNone);
      EXPECT_EQ(cudaGraphLaunch(exec, main_), cudaSuccess);
      EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);  // its launch is on its way
      EXPECT_EQ(cudaStreamSynchronize(main_), cudaSuccess);
      EXPECT_EQ(rows_[1][0], 2);
      wrong += rows_[2][0] == 3 ? 0 : 1;
    }
    return wrong;
  }
};

TEST_F(Forks, KeepToTheirEdges) { EXPECT_EQ(wrong_orders(true), 0); }
TEST_F(Forks, HaveNoOrderButTheirEdges) {
  const int wrong = wrong_orders(false);
  EXPECT_GT(wrong, 0);
  EXPECT_LT(wrong, static_cast<int>(kOrders));
}

TEST_F(Forks, MustBeJoined) {
  begin();
  wait_for(side_, main_, 0);
  EXPECT_EQ(queue_fill(side_, 1, 2), cudaSuccess);
  EXPECT_EQ(end(), cudaErrorStreamCaptureUnjoined);
  expect_usable();
}

TEST_F(Forks, EndWhereTheyBegan) {
  begin();
  wait_for(side_, main_, 0);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(side_, &graph), cudaErrorStreamCaptureUnmatched);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(end(), cudaErrorIllegalState);
  expect_usable();
}

TEST_F(Captures, DoNotDependOnWhatTheyDoNotHold) {
  EXPECT_EQ(cudaEventRecord(events_[0], side_), cudaSuccess);
  expect_refused("an event from outside", cudaErrorStreamCaptureIsolation,
                 [&] { return cudaStreamWaitEvent(main_, events_[0], 0); });
  begin();
  EXPECT_EQ(cudaEventRecord(events_[0], main_), cudaSuccess);
  EXPECT_EQ(end(), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  graph_ = nullptr;
  EXPECT_EQ(cudaStreamWaitEvent(side_, events_[0], 0), cudaErrorCapturedEvent);
  expect_refused("an event of an earlier capture", cudaErrorStreamCaptureIsolation,
                 [&] { return cudaStreamWaitEvent(main_, events_[0], 0); });
  // Recorded once more it is an event as any.
  EXPECT_EQ(cudaEventRecord(events_[0], side_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(main_, events_[0], 0), cudaSuccess);
}

TEST_F(Captures, DoNotMerge) {
  EXPECT_EQ(cudaStreamBeginCapture(side_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(events_[0], side_), cudaSuccess);
  begin();
  EXPECT_EQ(cudaStreamWaitEvent(main_, events_[0], 0), cudaErrorStreamCaptureMerge);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(cudaStreamEndCapture(side_, &graph_), cudaErrorStreamCaptureInvalidated);
  expect_usable();
}

TEST_F(Captures, RefuseCallsThatNoGraphWouldRepeat) {
  void* memory = nullptr;
  float* pinned = nullptr;
  float number = 0;
  EXPECT_EQ(cudaMallocHost(reinterpret_cast<void**>(&pinned), sizeof number), cudaSuccess);
  const auto refused = [&](const char* what, const std::function<cudaError_t()>& call) {
    expect_refused(what, cudaErrorStreamCaptureUnsupported, call);
  };
  refused("cudaMalloc", [&] { return cudaMalloc(&memory, 4); });
  refused("cudaMallocHost", [&] { return cudaMallocHost(&memory, 4); });
  refused("cudaFree", [&] { return cudaFree(rows_[0]); });
  refused("cudaFreeHost", [&] { return cudaFreeHost(pinned); });
  refused("cudaStreamSynchronize", [&] { return cudaStreamSynchronize(main_); });
  refused("cudaStreamQuery", [&] { return cudaStreamQuery(main_); });
  refused("cudaDeviceSynchronize", [&] { return cudaDeviceSynchronize(); });
  refused("cudaEventQuery", [&] { return cudaEventQuery(events_[1]); });
  refused("a kernel on the null stream", [&] { return queue_fill(nullptr, 0, 1); });
  refused("a wait for the null stream", [&] { return cudaStreamSynchronize(nullptr); });
  refused("an event on the null stream", [&] { return cudaEventRecord(events_[1], nullptr); });
  refused("cudaMemcpy",
          [&] { return cudaMemcpy(&number, rows_[0], sizeof number, cudaMemcpyDeviceToHost); });
  // Its address would outlive it.
  refused("a copy of a local variable", [&] {
    return cudaMemcpyAsync(rows_[0], &number, sizeof number, cudaMemcpyHostToDevice, main_);
  });
  refused("a copy of rows to one", [&] {
    return cudaMemcpy2DAsync(&number, 4, rows_[0], 4, 4, 1, cudaMemcpyDeviceToHost, main_);
  });
  expect_refused("cudaEventSynchronize", cudaErrorCapturedEvent, [&] {
    EXPECT_EQ(cudaEventRecord(events_[0], main_), cudaSuccess);
    return cudaEventSynchronize(events_[0]);
  });
  EXPECT_EQ(memory, nullptr);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

TEST_F(Captures, KeepTheNullStreamFromBlockingStreams) {
  destroy_streams();
  make_streams(cudaStreamDefault);
  begin(cudaStreamCaptureModeRelaxed);
  EXPECT_EQ(queue_fill(nullptr, 0, 1), cudaErrorStreamCaptureImplicit);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeRelaxed),
            cudaErrorStreamCaptureUnsupported);
}

TEST_F(Captures, AreOfOneThread) {
  begin();
  std::thread([&] {
    void* memory = nullptr;
    EXPECT_EQ(cudaMalloc(&memory, 4), cudaSuccess);
    EXPECT_EQ(cudaFree(memory), cudaSuccess);
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(main_, &graph), cudaErrorStreamCaptureWrongThread);
  }).join();
  EXPECT_EQ(end(), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  graph_ = nullptr;
  begin(cudaStreamCaptureModeGlobal);
  std::thread([] {
    void* memory = nullptr;
    EXPECT_EQ(cudaMalloc(&memory, 4), cudaErrorStreamCaptureUnsupported);
  }).join();
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

TEST_F(Captures, BeginOnceAndEndWithTheirStream) {
  begin();
  EXPECT_EQ(cudaStreamBeginCapture(main_, cudaStreamCaptureModeThreadLocal), cudaErrorIllegalState);
  EXPECT_EQ(status(main_), cudaStreamCaptureStatusActive);
  wait_for(side_, main_, 0);
  EXPECT_EQ(cudaStreamDestroy(main_), cudaSuccess);
  EXPECT_EQ(cudaStreamCreateWithFlags(&main_, cudaStreamNonBlocking), cudaSuccess);
  expect_usable();
}

// Two launches of one graph on two streams that do not wait for each other would both be half done.
TEST_F(Captures, LaunchesOfOneGraphTakeTurns) {
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= kOrders; ++seed) {
    simt::defer(true, seed);
    queue_fill(main_, 0, 0);
    queue_fill(main_, 1, 1);
    EXPECT_EQ(cudaStreamSynchronize(main_), cudaSuccess);
    begin();
    queue_sum(main_);  // of 0 and 1
    EXPECT_EQ(
        cudaMemcpyAsync(rows_[0], rows_[2], kRow * sizeof(float), cudaMemcpyDeviceToDevice, main_),
        cudaSuccess);
    const cudaGraphExec_t exec = instantiate();
    EXPECT_EQ(cudaGraphLaunch(exec, main_), cudaSuccess);
    EXPECT_EQ(cudaGraphLaunch(exec, side_), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    wrong += rows_[0][0] == 2 ? 0 : 1;
    EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(Captures, FailWhereTheirMemoryIsGone) {
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 4), cudaSuccess);
  begin();
  EXPECT_EQ(cudaMemsetAsync(memory, 0, 4, main_), cudaSuccess);
  const cudaGraphExec_t exec = instantiate();
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaGraphLaunch(exec, main_), cudaErrorIllegalAddress);
  simt::reset();
  EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
}

TEST_F(Captures, HandlesAreChecked) {
  cudaGraphExec_t exec = nullptr;
  EXPECT_EQ(cudaGraphInstantiate(&exec, nullptr, 0), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGraphLaunch(nullptr, main_), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGraphDestroy(nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGraphExecDestroy(nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
}

constexpr int kMostTokens = 16;

// A decode step in small: the token's number goes to the end of a cache whose length is in memory,
// a row of all that is there comes out.
__global__ void append(float* cache, const int* length, const float* token) {
  if (threadIdx.x == 0) cache[*length] = *token;
}
__global__ void scores(const float* cache, const int* length, float* out) {
  const int token = static_cast<int>(threadIdx.x);
  if (token <= *length) out[token] = cache[token] * cache[*length];
}
__global__ void scores_of(const float* cache, int length, float* out) {
  const int token = static_cast<int>(threadIdx.x);
  if (token <= length) out[token] = cache[token] * cache[length];
}
__global__ void advance(int* length) { ++*length; }

class Decoder {
 public:
  enum class Lengths { in_memory, by_value };

  explicit Decoder(Lengths lengths = Lengths::in_memory) : lengths_(lengths) {
    cuda::check(cudaMemsetAsync(length_, 0, sizeof *length_, stream_.get()), "setting the length");
    cuda::check(cudaMemsetAsync(out_, 0, kMostTokens * sizeof *out_, stream_.get()), "clearing");
  }

  /// The row of scores that each of n tokens gives.
  std::vector<std::vector<float>> run(int n, bool captured) {
    std::vector<std::vector<float>> rows;
    for (int token = 0; token < n; ++token) {
      host_.data()[0] = static_cast<float>(token + 1);
      if (!captured) {
        queue_step();
      } else {
        if (!graph_) capture();
        graph_->launch(stream_);
      }
      rows.push_back(read());
    }
    return rows;
  }

 private:
  template <class... Params, class... Args>
  void queue(void (*kernel)(Params...), Args... args) {
    cuda::check(cuda::launch(kernel, 1, kMostTokens, 0, stream_.get(), args...), "a kernel");
  }
  void queue_step() {
    cuda::check(cudaMemcpyAsync(token_, host_.data(), sizeof *token_, cudaMemcpyHostToDevice,
                                stream_.get()),
                "copying a token");
    queue(append, cache_, length_, token_);
    if (lengths_ == Lengths::in_memory) {
      queue(scores, cache_, length_, out_);
    } else {
      queue(scores_of, cache_, n_queued_++, out_);
    }
    cuda::check(cuda::launch(advance, 1, 1, 0, stream_.get(), length_), "a kernel");
  }
  void capture() {
    cuda::StreamCapture capture(stream_);
    queue_step();
    graph_.emplace(capture.finish());
  }
  std::vector<float> read() {
    std::vector<float> row(kMostTokens);
    cuda::check(cudaMemcpyAsync(row.data(), out_, kMostTokens * sizeof *out_,
                                cudaMemcpyDeviceToHost, stream_.get()),
                "copying a row");
    stream_.wait();
    return row;
  }

  Lengths lengths_;
  int n_queued_ = 0;
  cuda::Arena arena_{4 * cuda::Arena::kAlignment};
  cuda::PinnedBuffer<float> host_{1};
  float* cache_ = arena_.take<float>(kMostTokens);
  float* out_ = arena_.take<float>(kMostTokens);
  float* token_ = arena_.take<float>(1);
  int* length_ = arena_.take<int>(1);
  cuda::Stream stream_;
  std::optional<cuda::Graph> graph_;
};

class Graphs : public testing::Test {
 protected:
  void SetUp() override { simt::reset(); }
  void TearDown() override {
    expect_nothing_left();
    simt::reset();
  }
  static void expect_nothing_left() {
    EXPECT_EQ(simt::live_graphs(), 0u);
    EXPECT_EQ(simt::live_streams(), 0u);
    EXPECT_EQ(simt::live_events(), 0u);
    EXPECT_EQ(simt::live_allocations(), 0u);
  }
};

TEST_F(Graphs, ReplayedAtOtherLengthsGiveWhatLaunchesGive) {
  const auto launched = Decoder().run(kMostTokens, false);
  EXPECT_EQ(launched.back().back(), kMostTokens * kMostTokens);
  EXPECT_EQ(Decoder().run(kMostTokens, true), launched);
  for (std::uint64_t seed = 1; seed <= kOrders / 5; ++seed) {
    simt::defer(true, seed);
    EXPECT_EQ(Decoder().run(kMostTokens, true), launched);
  }
}

// The mistake that the test above is for.
TEST_F(Graphs, KeepLengthsThatAreArguments) {
  using Lengths = Decoder::Lengths;
  const auto launched = Decoder(Lengths::by_value).run(3, false);
  EXPECT_EQ(launched, Decoder().run(3, false));
  const auto replayed = Decoder(Lengths::by_value).run(3, true);
  EXPECT_EQ(replayed[0], launched[0]);
  EXPECT_NE(replayed[1], launched[1]);
}

/// A failure on the way, or the right rows and nothing.
bool decodes() {
  try {
    EXPECT_EQ(Decoder().run(3, true)[2][2], 9);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::work);
    return false;
  }
}

TEST_F(Graphs, GiveAllBackWhicheverAllocationFails) {
  constexpr int kAllocations = 3;  // the arena, the pinned number, the graph
  for (int nth = 1; nth <= kAllocations + 1; ++nth) {
    simt::fail_allocation(nth);
    EXPECT_EQ(decodes(), nth > kAllocations) << nth;
    expect_nothing_left();
    EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
    simt::fail_allocation(0);
    EXPECT_TRUE(decodes());
  }
}

/// Runs body(main, side) in a capture that it leaves by an exception; both streams are as before.
template <class Body>
void expect_dropped(Body body) {
  const cuda::Stream main, side;
  EXPECT_THROW(
      {
        cuda::StreamCapture capture(main);
        body(main, side);
        capture.finish();
      },
      Error);
  EXPECT_EQ(simt::live_graphs(), 0u);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
  cuda::Arena arena(cuda::Arena::kAlignment);
  auto* numbers = arena.take<float>(kRow);
  for (const cuda::Stream* stream : {&main, &side}) {
    cuda::check(cuda::launch(fill, 1, kRow, 0, stream->get(), numbers, 7.0f), "a kernel");
    stream->wait();
    EXPECT_EQ(numbers[0], 7);
    numbers[0] = 0;
  }
  cuda::StreamCapture again(main);
  again.finish().launch(main);
}

void fork(const cuda::Stream& from, const cuda::Stream& to, const cuda::Event& event) {
  event.record(from);
  event.hold(to);
}

TEST_F(Graphs, AreDroppedByAnException) {
  expect_dropped([](const auto&, const auto&) { throw Error(ErrorKind::work, {.what = "no"}); });
  expect_dropped([](const auto& main, const auto& side) {
    const cuda::Event event;
    fork(main, side, event);
    throw Error(ErrorKind::interrupted, {.what = "no"});
  });
  expect_dropped([](const auto&, const auto&) { cuda::Arena(1); });
  expect_dropped([](const auto& main, const auto&) { main.wait(); });
}

TEST_F(Graphs, OfWhatNoGraphHoldsAreRefusedAtTheEnd) {
  cuda::Arena arena(cuda::Arena::kAlignment);
  auto* numbers = arena.take<float>(kRow);
  const cuda::Event event;
  expect_dropped([&](const auto& main, const auto& side) {
    fork(main, side, event);
    cuda::check(cuda::launch(fill, 1, kRow, 0, side.get(), numbers, 1.0f), "a kernel");
  });
  expect_dropped([&](const auto& main, const auto&) {
    EXPECT_NE(cudaStreamQuery(main.get()), cudaSuccess);  // nobody looks at the error
  });
}

// Pieces of work between two stamps of a graph, at each of its launches; none before the first.
TEST_F(Graphs, StampAnewAtEveryLaunch) {
  simt::defer(true, 3);
  simt::time_pieces(true);
  const cuda::Stream stream;
  cuda::Arena arena(cuda::Arena::kAlignment);
  auto* numbers = arena.take<float>(kRow);
  const cuda::Event first(true), last(true);
  const auto queue = [&] {
    first.stamp(stream);
    for (int i = 0; i < 3; ++i) {
      cuda::check(cuda::launch(fill, 1, kRow, 0, stream.get(), numbers, 5.0f), "a kernel");
    }
    last.stamp(stream);
  };
  cuda::StreamCapture capture(stream);
  queue();
  const cuda::Graph graph = capture.finish();
  EXPECT_THROW(first.seconds_until(last), Error);
  cudaGetLastError();
  for (int launch = 0; launch < 2; ++launch) {
    graph.launch(stream);
    stream.wait();
    EXPECT_DOUBLE_EQ(first.seconds_until(last), 4e-3) << "and the stamp itself";
  }
  queue();
  stream.wait();
  EXPECT_NEAR(first.seconds_until(last), 3e-3, 1e-9);
}

// Outside a capture nothing is external to it, and within one what is not external is an edge.
TEST_F(Captures, TakeExternalRecordsAlone) {
  EXPECT_EQ(cudaEventRecordWithFlags(events_[0], main_, cudaEventRecordExternal),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaEventRecordWithFlags(events_[0], main_, 7), cudaErrorInvalidValue);
  cudaGetLastError();
  EXPECT_EQ(cudaEventRecordWithFlags(events_[0], main_, cudaEventRecordDefault), cudaSuccess);
}

TEST_F(Graphs, EndOnceAndAreMoved) {
  const cuda::Stream stream;
  cuda::Arena arena(cuda::Arena::kAlignment);
  auto* numbers = arena.take<float>(kRow);
  cuda::StreamCapture capture(stream);
  cuda::check(cuda::launch(fill, 1, kRow, 0, stream.get(), numbers, 5.0f), "a kernel");
  cuda::Graph first = capture.finish();
  EXPECT_THROW(capture.finish(), std::logic_error);
  const cuda::Graph graph = std::move(first);
  EXPECT_EQ(simt::live_graphs(), 1u);
  EXPECT_THROW(first.launch(stream), Error);  // NOLINT: it is empty
  cudaGetLastError();
  graph.launch(stream);
  stream.wait();
  EXPECT_EQ(numbers[0], 5);
}

TEST_F(Graphs, AreTurnedOffByAVariable) {
  unsetenv("QAQ_CUDA_GRAPH");
  EXPECT_TRUE(cuda::graphs_enabled());
  setenv("QAQ_CUDA_GRAPH", "1", 1);
  EXPECT_TRUE(cuda::graphs_enabled());
  setenv("QAQ_CUDA_GRAPH", "0", 1);
  EXPECT_FALSE(cuda::graphs_enabled());
  unsetenv("QAQ_CUDA_GRAPH");
}

}  // namespace
}  // namespace qaq
