// The runtime that the shim plays: streams in any legal order, memory that runs out, machines
// without a GPU. What the backend's tests build on.
#include <array>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "gpu/cuda/portable.h"
#include "tests/gpu/simt/simt.h"

namespace qaq {
namespace {

constexpr std::uint64_t kOrders = 50;

class SimtTest : public testing::Test {
 protected:
  void SetUp() override { simt::reset(); }
  void TearDown() override { simt::reset(); }
};
using Streams = SimtTest;
using Memory = SimtTest;
using Device = SimtTest;
using Launches = SimtTest;

template <class T>
T* device_memory(std::size_t n) {
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, n * sizeof(T)), cudaSuccess);
  return static_cast<T*>(memory);
}

template <class T>
T* pinned_memory(std::size_t n) {
  void* memory = nullptr;
  EXPECT_EQ(cudaMallocHost(&memory, n * sizeof(T)), cudaSuccess);
  return static_cast<T*>(memory);
}

cudaStream_t new_stream(unsigned flags = cudaStreamNonBlocking) {
  cudaStream_t stream = nullptr;
  EXPECT_EQ(cudaStreamCreateWithFlags(&stream, flags), cudaSuccess);
  return stream;
}

cudaEvent_t new_event() {
  cudaEvent_t event = nullptr;
  EXPECT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
  return event;
}

__global__ void fill(float* out, float value) { out[threadIdx.x] = value; }
__global__ void uses_dynamic_shared(float* out) {
  auto* shared = cuda::dynamic_shared<float>();
  shared[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

constexpr unsigned kRow = 4;  ///< numbers that fill() writes

void queue_fill(float* out, float value, cudaStream_t stream) {
  EXPECT_EQ(cuda::launch(fill, 1, kRow, 0, stream, out, value), cudaSuccess);
}

void queue_copy_to_host(float* to, const float* from, cudaStream_t stream) {
  EXPECT_EQ(cudaMemcpyAsync(to, from, kRow * sizeof(float), cudaMemcpyDeviceToHost, stream),
            cudaSuccess);
}

enum class Omitted { kNothing, kFull, kFree, kHostWait };

/// Two slabs by turns: `model` fills one, `tap` copies it out. True where all came out as filled.
class Ring {
 public:
  Ring() {
    for (std::size_t i = 0; i < 2; ++i) {
      slab_[i] = device_memory<float>(kRow);
      full_[i] = new_event();
      free_[i] = new_event();
    }
  }
  ~Ring() {
    for (std::size_t i = 0; i < 2; ++i) {
      cudaFree(slab_[i]);
      cudaEventDestroy(full_[i]);
      cudaEventDestroy(free_[i]);
    }
    cudaFreeHost(pinned_);
    cudaStreamDestroy(model_);
    cudaStreamDestroy(tap_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  bool run(Omitted omitted) {
    for (std::size_t round = 0; round < kRounds; ++round) queue(round, omitted);
    EXPECT_EQ(cudaStreamSynchronize(omitted == Omitted::kHostWait ? model_ : tap_), cudaSuccess);
    bool right = true;
    for (std::size_t i = 0; i < kRounds * kRow; ++i) {
      right = right && pinned_[i] == static_cast<float>(i / kRow);
    }
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    return right;
  }

 private:
  static constexpr std::size_t kRounds = 6;

  void queue(std::size_t round, Omitted omitted) {
    const std::size_t i = round % 2;
    if (omitted != Omitted::kFree) cudaStreamWaitEvent(model_, free_[i], 0);
    queue_fill(slab_[i], static_cast<float>(round), model_);
    cudaEventRecord(full_[i], model_);
    if (omitted != Omitted::kFull) cudaStreamWaitEvent(tap_, full_[i], 0);
    queue_copy_to_host(pinned_ + round * kRow, slab_[i], tap_);
    cudaEventRecord(free_[i], tap_);
  }

  cudaStream_t model_ = new_stream(), tap_ = new_stream();
  std::array<float*, 2> slab_{};
  std::array<cudaEvent_t, 2> full_{}, free_{};
  float* pinned_ = pinned_memory<float>(kRounds * kRow);
};

int wrong_orders(Omitted omitted) {
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= kOrders; ++seed) {
    simt::defer(true, seed);
    wrong += Ring().run(omitted) ? 0 : 1;
  }
  return wrong;
}

TEST_F(Streams, ARingWithAllItsWaitsIsRightInEveryOrder) {
  EXPECT_EQ(wrong_orders(Omitted::kNothing), 0);
  EXPECT_EQ(simt::live_allocations(), 0u);
  EXPECT_EQ(simt::live_events(), 0u);
  EXPECT_EQ(simt::live_streams(), 0u);
}
TEST_F(Streams, TheTapMustWaitForAFullSlab) { EXPECT_GT(wrong_orders(Omitted::kFull), 0); }
TEST_F(Streams, TheModelMustWaitForAFreeSlab) { EXPECT_GT(wrong_orders(Omitted::kFree), 0); }
TEST_F(Streams, TheHostMustWaitForTheTap) { EXPECT_GT(wrong_orders(Omitted::kHostWait), 0); }

TEST_F(Streams, OneStreamKeepsItsOrder) {
  auto* device = device_memory<float>(kRow);
  auto* pinned = pinned_memory<float>(kRow);
  for (std::uint64_t seed = 1; seed <= kOrders; ++seed) {
    simt::defer(true, seed);
    cudaStream_t stream = new_stream();
    queue_fill(device, 1, stream);
    queue_fill(device, 2, stream);
    queue_copy_to_host(pinned, device, stream);
    EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
    while (cudaStreamQuery(stream) == cudaErrorNotReady) {
    }
    EXPECT_EQ(pinned[0], 2);
    cudaStreamDestroy(stream);
  }
  cudaFree(device);
  cudaFreeHost(pinned);
}

/// In how many orders a copy on the null stream misses what a stream made with `flags` wrote.
int missed_by_null_stream(unsigned flags) {
  int missed = 0;
  for (std::uint64_t seed = 1; seed <= kOrders; ++seed) {
    simt::defer(true, seed);
    auto* device = device_memory<float>(kRow);
    cudaStream_t stream = new_stream(flags);
    std::array<float, kRow> host{};
    queue_fill(device, 1, stream);
    EXPECT_EQ(cudaMemcpy(host.data(), device, sizeof host, cudaMemcpyDeviceToHost), cudaSuccess);
    missed += host[0] == 1 ? 0 : 1;
    cudaStreamDestroy(stream);
    cudaFree(device);
  }
  return missed;
}

TEST_F(Streams, OnlyBlockingStreamsTakeTurnsWithTheNullStream) {
  EXPECT_EQ(missed_by_null_stream(cudaStreamDefault), 0);
  EXPECT_GT(missed_by_null_stream(cudaStreamNonBlocking), 0);
}

TEST_F(Streams, AnEventIsDoneWhenItsRecordIsReached) {
  simt::defer(true);
  auto* device = device_memory<float>(kRow);
  cudaStream_t stream = new_stream();
  cudaEvent_t start = nullptr, end = nullptr;
  cudaEventCreate(&start);
  cudaEventCreate(&end);
  EXPECT_EQ(cudaEventQuery(end), cudaSuccess);  // never recorded
  cudaEventRecord(start, stream);
  queue_fill(device, 1, stream);
  cudaEventRecord(end, stream);
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorNotReady);
  EXPECT_EQ(cudaEventQuery(end), cudaErrorNotReady);
  EXPECT_EQ(cudaEventSynchronize(end), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(end), cudaSuccess);
  EXPECT_EQ(device[0], 1);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
  EXPECT_EQ(milliseconds, 0);
  cudaEventDestroy(start);
  cudaEventDestroy(end);
  cudaStreamDestroy(stream);
  cudaFree(device);
}

TEST_F(Streams, ADestroyedStreamFinishesItsWork) {
  simt::defer(true);
  auto* device = device_memory<float>(kRow);
  cudaStream_t stream = new_stream();
  queue_fill(device, 1, stream);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(simt::live_streams(), 0u);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(device[0], 1);
  cudaFree(device);
}

TEST_F(Streams, AHostFunctionRunsInItsTurnAndMayNotCall) {
  simt::defer(true);
  cudaStream_t stream = new_stream();
  cudaError_t seen = cudaSuccess;
  const auto function = [](void* result) {
    *static_cast<cudaError_t*>(result) = cudaDeviceSynchronize();
  };
  EXPECT_EQ(cudaLaunchHostFunc(stream, function, &seen), cudaSuccess);
  EXPECT_EQ(seen, cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(seen, cudaErrorNotPermitted);
  cudaStreamDestroy(stream);
}

TEST_F(Streams, ThreadsOfTheProgramMayCallAtOnce) {
  constexpr std::size_t kRounds = 20;
  simt::defer(true);
  cudaStream_t stream = new_stream();
  auto* device = device_memory<float>(kRow);
  auto* pinned = pinned_memory<float>(kRounds * kRow);
  std::array<cudaEvent_t, kRounds> copied{};
  for (std::size_t i = 0; i < kRounds; ++i) {
    queue_fill(device, static_cast<float>(i), stream);
    queue_copy_to_host(pinned + i * kRow, device, stream);
    cudaEventRecord(copied[i] = new_event(), stream);
  }
  std::thread tap([&] {
    for (std::size_t i = 0; i < kRounds; ++i) {
      EXPECT_EQ(cudaEventSynchronize(copied[i]), cudaSuccess);
      EXPECT_EQ(pinned[i * kRow], static_cast<float>(i));
    }
  });
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  tap.join();
  for (cudaEvent_t event : copied) cudaEventDestroy(event);
  cudaStreamDestroy(stream);
  cudaFree(device);
  cudaFreeHost(pinned);
}

TEST_F(Memory, IsCounted) {
  auto* device = device_memory<char>(100);
  auto* pinned = pinned_memory<char>(10);
  EXPECT_EQ(simt::live_allocations(), 2u);
  EXPECT_EQ(simt::live_bytes(), 110u);
  EXPECT_EQ(simt::live_device_bytes(), 100u);
  EXPECT_EQ(cudaFree(pinned), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
  EXPECT_EQ(cudaFree(device), cudaSuccess);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  EXPECT_EQ(simt::live_allocations(), 0u);
  EXPECT_EQ(simt::live_bytes(), 0u);
}

TEST_F(Memory, IsFullOfNaN) {
  auto* device = device_memory<float>(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(device[i]));
  cudaFree(device);
}

TEST_F(Memory, TheAllocationThatIsToFailFails) {
  void* memory = nullptr;
  simt::fail_allocation(2);
  auto* first = device_memory<float>(1);
  EXPECT_EQ(cudaMallocHost(&memory, 4), cudaErrorMemoryAllocation);
  EXPECT_EQ(memory, nullptr);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  auto* third = device_memory<float>(1);
  cudaFree(first);
  cudaFree(third);
}

TEST_F(Memory, RunsOutAtItsTotal) {
  simt::set_device_memory(1000);
  void *first = nullptr, *second = nullptr;
  EXPECT_EQ(cudaMalloc(&first, 600), cudaSuccess);
  std::size_t free = 0, total = 0;
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(free, 400u);
  EXPECT_EQ(total, 1000u);
  EXPECT_EQ(cudaMalloc(&second, 401), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&second, 400), cudaSuccess);
  cudaFree(first);
  cudaFree(second);
}

TEST_F(Memory, CopiesMustFitAndBeOfTheirKind) {
  auto* device = device_memory<float>(4);
  std::vector<float> host(8, 1.0f);
  const auto copy = [&](std::size_t offset, std::size_t n, cudaMemcpyKind kind) {
    return cudaMemcpy(device + offset, host.data(), n * sizeof(float), kind);
  };
  EXPECT_EQ(copy(0, 4, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(copy(1, 4, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(0, 5, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(0, 4, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(0, 4, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(device, 0, 4 * sizeof(float)), cudaSuccess);
  EXPECT_EQ(cudaMemset(host.data(), 0, sizeof(float)), cudaErrorInvalidValue);
  EXPECT_EQ(device[3], 0);
  cudaFree(device);
}

TEST_F(Device, IsOneGpuByDefault) {
  int count = 0, version = 0, number = -1, major = 0;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 1);
  EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, CUDART_VERSION);
  EXPECT_EQ(cudaRuntimeGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, CUDART_VERSION);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetDevice(&number), cudaSuccess);
  EXPECT_EQ(number, 0);
  cudaDeviceProp properties{};
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_STREQ(properties.name, "SIMT shim");
  EXPECT_EQ(properties.major, 9);
  EXPECT_EQ(properties.minor, 0);
  EXPECT_EQ(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0), cudaSuccess);
  EXPECT_EQ(major, 9);
}

struct Unusable {
  simt::DeviceState state;
  cudaError_t error;
  int driver_version;
  int count;  ///< of devices, where 7 was in its place
};

TEST_F(Device, MayBeUnusable) {
  const Unusable cases[] = {
      {simt::DeviceState::no_driver(), cudaErrorInsufficientDriver, 0, 7},
      {simt::DeviceState::old_driver(), cudaErrorInsufficientDriver, 12040, 7},
      {simt::DeviceState::no_device(), cudaErrorNoDevice, CUDART_VERSION, 0},
  };
  for (const Unusable& unusable : cases) {
    simt::set_device(unusable.state);
    int count = 7, version = -1;
    EXPECT_EQ(cudaGetDeviceCount(&count), unusable.error);
    EXPECT_EQ(count, unusable.count);
    EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
    EXPECT_EQ(version, unusable.driver_version);
    void* memory = nullptr;
    EXPECT_EQ(cudaMalloc(&memory, 4), unusable.error);
    cudaDeviceProp properties{};
    EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), unusable.error);
  }
}

TEST_F(Device, MayBeOld) {
  simt::set_device(simt::DeviceState::capability(7, 5));
  cudaDeviceProp properties{};
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_EQ(properties.major, 7);
  EXPECT_EQ(properties.minor, 5);
}

TEST_F(Launches, OutsideTheLimitsAreRefused) {
  auto* out = device_memory<float>(2048);
  EXPECT_EQ(cuda::launch(fill, 0, 32, 0, nullptr, out, 1.0f), cudaErrorInvalidConfiguration);
  EXPECT_EQ(cuda::launch(fill, 1, 1025, 0, nullptr, out, 1.0f), cudaErrorInvalidConfiguration);
  constexpr int kMuch = 64 * 1024;
  const auto launch = [&] { return cuda::launch(uses_dynamic_shared, 1, 64, kMuch, nullptr, out); };
  EXPECT_EQ(launch(), cudaErrorInvalidValue);
  EXPECT_EQ(
      cudaFuncSetAttribute(uses_dynamic_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, kMuch),
      cudaSuccess);
  EXPECT_EQ(launch(), cudaSuccess);
  EXPECT_EQ(out[0], 63);
  cudaFree(out);
}

TEST_F(Launches, AFailureStays) {
  auto* out = device_memory<float>(kRow);
  EXPECT_EQ(cuda::launch(uses_dynamic_shared, 1, kRow, 0, nullptr, out), cudaErrorLaunchFailure);
  EXPECT_NE(simt::last_report().find("dynamic shared memory"), std::string::npos);
  EXPECT_EQ(cudaGetErrorString(cudaErrorLaunchFailure), simt::last_report());
  EXPECT_STREQ(cudaGetErrorName(cudaErrorLaunchFailure), "cudaErrorLaunchFailure");
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaFree(out), cudaErrorLaunchFailure);
  EXPECT_EQ(simt::live_allocations(), 0u);
  simt::reset();
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
  out = device_memory<float>(kRow);
  queue_fill(out, 3, nullptr);
  EXPECT_EQ(out[kRow - 1], 3);
  cudaFree(out);
}

}  // namespace
}  // namespace qaq
