#include "tests/gpu_check/timing.h"

namespace qaq::gpu_check {
namespace {

using cases::require;

class Pinned {
 public:
  explicit Pinned(std::size_t bytes) { require(cudaMallocHost(&memory_, bytes), "cudaMallocHost"); }
  ~Pinned() { cudaFreeHost(memory_); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  float* data() const { return static_cast<float*>(memory_); }

 private:
  void* memory_ = nullptr;
};

Job copy_job(const std::string& name, Limit limit, std::size_t bytes,
             std::function<void(std::size_t)> launch) {
  // A copy on the device reads and writes its memory.
  const double moved = static_cast<double>(bytes) * (limit == Limit::memory ? 2 : 1);
  return {.section = "trust",
          .name = name,
          .shape = std::to_string(bytes >> 20) + " MiB",
          .timed = {.limit = limit, .bytes = moved},
          .launch = std::move(launch)};
}

void measure_device_copy(Context& context) {
  const std::int64_t n = context.options.shim ? 1 << 18 : 1 << 28;
  const cases::DeviceArray<float> from(static_cast<std::size_t>(n)), to(from.size());
  fill_from_seed(from.data(), n, 98);
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(float);
  measure(context, copy_job("copy on the device", Limit::memory, bytes, [&](std::size_t) {
            require(
                cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyDeviceToDevice, nullptr),
                "copy on the device");
          }));
  context.report.machine.copy_rate = rate_of(*context.report.rows.back().timed);
}

void measure_link(Context& context) {
  const std::int64_t n = context.options.shim ? 1 << 18 : 1 << 26;
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(float);
  const cases::DeviceArray<float> device(static_cast<std::size_t>(n));
  const Pinned host(bytes);
  fill_from_seed(device.data(), n, 99);
  // To the host first, so that what goes back are those numbers.
  measure(context, copy_job("link, to the host", Limit::link, bytes, [&](std::size_t) {
            require(
                cudaMemcpyAsync(host.data(), device.data(), bytes, cudaMemcpyDeviceToHost, nullptr),
                "copy from the device");
          }));
  measure(context, copy_job("link, to the device", Limit::link, bytes, [&](std::size_t) {
            require(
                cudaMemcpyAsync(device.data(), host.data(), bytes, cudaMemcpyHostToDevice, nullptr),
                "copy to the device");
          }));
}

}  // namespace

void measure_trust(Context& context) {
  measure_device_copy(context);
  measure_link(context);
}

}  // namespace qaq::gpu_check
