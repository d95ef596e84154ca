// Arrays of more than 2^31 numbers: an index of 32 bits anywhere shows at the end.
#include <cmath>

#include "core/base/text.h"
#include "gpu/cuda/kernels/activate.h"
#include "gpu/cuda/kernels/norm.h"
#include "gpu/device/probe.h"
#include "tests/gpu_check/steps.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;
using cases::DeviceArray;
using cases::Numbers;

constexpr std::int64_t kFar = std::int64_t{1} << 31;
constexpr std::int64_t kLooked = 64;      // numbers at each place
constexpr std::int64_t kCols = 4096;      // of a row to be normed
constexpr std::int64_t kSpare = 1 << 30;  // bytes of the GPU that are left alone
constexpr int kFiller = 0x3c;             // each byte of 0.0115

void fill(const DeviceArray<float>& array) {
  cases::require(cudaMemsetAsync(array.data(), kFiller, array.size() * sizeof(float), nullptr),
                 "cudaMemset");
}

std::vector<float> part_of(const DeviceArray<float>& array, std::int64_t first, std::int64_t n) {
  std::vector<float> numbers(static_cast<std::size_t>(n));
  cases::require(cudaMemcpyAsync(numbers.data(), array.data() + first,
                                 numbers.size() * sizeof(float), cudaMemcpyDeviceToHost, nullptr),
                 "copy from the device");
  cases::wait("a kernel, or the copy from the device");
  return numbers;
}

// The beginning, where a signed index of bytes ends, where one of numbers does, the end.
CaseRow silu_case() {
  const std::int64_t n = kFar + kLooked;
  DeviceArray<float> gate(static_cast<std::size_t>(n)), up(static_cast<std::size_t>(n));
  fill(gate);
  fill(up);
  const std::vector<std::int64_t> places{0, kFar / 4, kFar / 2, kFar - kLooked, kFar};
  Numbers numbers(8);
  std::vector<std::vector<float>> gates, ups;
  for (const std::int64_t place : places) {
    gates.push_back(numbers.bells(kLooked, 4));
    ups.push_back(numbers.bells(kLooked));
    gate.set(gates.back(), static_cast<std::size_t>(place));
    up.set(ups.back(), static_cast<std::size_t>(place));
  }
  cases::require(cuda::silu_times({gate.data(), up.data(), gate.data(), n}, nullptr), "silu_times");
  cases::Worst worst;
  std::uint64_t digest = cases::digest_of({});
  for (std::size_t p = 0; p < places.size(); ++p) {
    const std::vector<float> got = part_of(gate, places[p], kLooked);
    digest = cases::digest_of(got, digest);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double g = gates[p][i], want = g / (1 + std::exp(-g)) * ups[p][i];
      worst.add(got[i], want, std::abs(want));
    }
  }
  return {"activate, far", cases::shape_text({{"n", n}}), worst.value(), 1e-6, digest};
}

CaseRow norm_case() {
  const std::int64_t n_rows = kFar / kCols + 1;
  DeviceArray<float> rows(static_cast<std::size_t>(n_rows * kCols));
  fill(rows);
  Numbers numbers(9);
  const std::vector<float> weight = numbers.bells(kCols);
  const DeviceArray<float> weight_on_device(weight);
  const std::vector<std::int64_t> places{0, n_rows / 4, n_rows / 2, n_rows - 2, n_rows - 1};
  std::vector<std::vector<float>> in;
  for (const std::int64_t place : places) {
    in.push_back(numbers.bells(kCols, 3));
    rows.set(in.back(), static_cast<std::size_t>(place * kCols));
  }
  const float epsilon = 1e-5f;
  cases::require(
      cuda::rms_norm({rows.data(), weight_on_device.data(), rows.data(), n_rows, kCols, epsilon},
                     nullptr),
      "rms_norm");
  cases::Worst worst;
  std::uint64_t digest = cases::digest_of({});
  for (std::size_t p = 0; p < places.size(); ++p) {
    const std::vector<float> got = part_of(rows, places[p] * kCols, kCols);
    digest = cases::digest_of(got, digest);
    double sum = 0;
    for (const float x : in[p]) sum += static_cast<double>(x) * x;
    const double root = std::sqrt(sum / static_cast<double>(kCols) + epsilon);
    for (std::size_t c = 0; c < got.size(); ++c) {
      const double want = in[p][c] / root * weight[c];
      worst.add(got[c], want, std::abs(want));
    }
  }
  return {"norm, far", cases::shape_text({{"T", n_rows}, {"n", kCols}}), worst.value(), 1e-6,
          digest};
}

}  // namespace

void check_large(Context& context) {
  if (context.options.small()) {
    context.report.skip("correct", "large", "left out by --quick and --shim");
    return;
  }
  const auto check = [&](const std::string& name, std::int64_t n_numbers, CaseRow (*run)()) {
    const std::int64_t needed = n_numbers * 4 + kSpare, free = cuda::free_device_bytes();
    if (free < needed) {
      context.report.skip(
          "correct", name,
          cat("needs ", byte_text(needed), " of the GPU, free are ", byte_text(free)));
      return;
    }
    check_twice(context, name, [run] { return std::vector<CaseRow>{run()}; });
  };
  check("activate, far", 2 * (kFar + kLooked), silu_case);
  check("norm, far", kFar + kCols, norm_case);
}

}  // namespace qaq::gpu_check
