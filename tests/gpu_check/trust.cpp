#include "tests/gpu/cases/half_linear.h"
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
  fill_from_seed(from.data(), n, DType::f32, 98);
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
  fill_from_seed(device.data(), n, DType::f32, 99);
  // To the host first, so that what goes back are those numbers.
  measure(context, copy_job("link, to the host", Limit::link, bytes, [&](std::size_t) {
            require(
                cudaMemcpyAsync(host.data(), device.data(), bytes, cudaMemcpyDeviceToHost, nullptr),
                "copy from the device");
          }));
  context.report.machine.link_rate = rate_of(*context.report.rows.back().timed);
  measure(context, copy_job("link, to the device", Limit::link, bytes, [&](std::size_t) {
            require(
                cudaMemcpyAsync(device.data(), host.data(), bytes, cudaMemcpyHostToDevice, nullptr),
                "copy to the device");
          }));
}

// Rows with a single 1 each, so that an output is one of the weights: whole numbers, all different
// along k. Exact whatever the order of sums, and wrong wherever a number lies elsewhere.
cases::CaseRow layout_case(cuda::HalfLinearPath path) {
  cases::HalfLinearProblem p{.n_rows = 128, .n = 128, .k = 96, .path = path};
  const auto column = [&](std::int64_t row) { return 37 * row % p.k; };
  const auto number = [](std::int64_t output, std::int64_t c) {
    return static_cast<float>((96 * output + c) % 2039);
  };
  std::vector<float> in(static_cast<std::size_t>(p.n_rows * p.k)), weight;
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    in[static_cast<std::size_t>(row * p.k + column(row))] = 1;
  }
  for (std::int64_t output = 0; output < p.n; ++output) {
    for (std::int64_t c = 0; c < p.k; ++c) weight.push_back(number(output, c));
  }
  p.in = cases::halves_of(in, p.dtype);
  p.weight = cases::halves_of(weight, p.dtype);
  p.before.assign(static_cast<std::size_t>(p.n_rows * p.n), -1);
  std::vector<float> want;
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    for (std::int64_t output = 0; output < p.n; ++output) {
      want.push_back(number(output, column(row)));
    }
  }
  const std::vector<float> got = cases::run_half_linear(p);
  return {"tensor cores", cases::half_linear_shape(p), cases::n_different(got, want), 0,
          cases::digest_of(got)};
}

}  // namespace

void check_tensor_cores(Context& context) {
  check_twice(
      context, "tensor cores",
      [] {
        return std::vector<cases::CaseRow>{layout_case(cuda::HalfLinearPath::tile_64),
                                           layout_case(cuda::HalfLinearPath::tile_128)};
      },
      "trust");
}

void measure_trust(Context& context) {
  measure_device_copy(context);
  measure_link(context);
}

}  // namespace qaq::gpu_check
