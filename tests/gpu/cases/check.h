// What the checks of kernels share. Plain C++ over the CUDA runtime: the tests on the host and the
// program for a GPU machine run the same ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <cuda_runtime_api.h>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/tensor/dtype.h"

namespace qaq::cases {

/// What one case of a kernel found. `worst` is an error over the sum of the absolute terms, or a
/// count of numbers that should be equal and are not.
struct CaseRow {
  std::string name;
  std::string shape;
  double worst = 0;
  double bound = 0;
  std::uint64_t digest = 0;  ///< of all bytes of output; the same on every run

  bool ok() const { return worst <= bound; }
};

inline void require(cudaError_t status, const std::string& what) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(what + ": " + cudaGetErrorString(status));
}

/// Waits for the default stream, and throws what went wrong on it.
inline void wait(const std::string& what) { require(cudaStreamSynchronize(nullptr), what); }

/// Numbers on the device, exactly as many as asked for.
template <class T>
class DeviceArray {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  explicit DeviceArray(std::size_t n) : n_(n) {
    void* numbers = nullptr;
    if (n > 0) require(cudaMalloc(&numbers, n * sizeof(T)), "cudaMalloc");
    numbers_ = static_cast<T*>(numbers);
  }
  explicit DeviceArray(const std::vector<T>& from) : DeviceArray(from.size()) { set(from, 0); }
  ~DeviceArray() { cudaFree(numbers_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return numbers_; }
  std::size_t size() const { return n_; }

  void set(const std::vector<T>& from, std::size_t first) {
    if (from.empty()) return;
    require(cudaMemcpyAsync(numbers_ + first, from.data(), from.size() * sizeof(T),
                            cudaMemcpyHostToDevice, nullptr),
            "copy to the device");
    wait("copy to the device");
  }
  std::vector<T> host() const {
    std::vector<T> numbers(n_);
    if (n_ == 0) return numbers;
    require(
        cudaMemcpyAsync(numbers.data(), numbers_, n_ * sizeof(T), cudaMemcpyDeviceToHost, nullptr),
        "copy from the device");
    wait("a kernel, or the copy from the device");
    return numbers;
  }

 private:
  T* numbers_ = nullptr;
  std::size_t n_ = 0;
};

/// An output before a kernel wrote it: all ones, NaN in every type of floating point.
template <class T = float>
DeviceArray<T> unwritten(std::int64_t n) {
  std::vector<T> numbers(static_cast<std::size_t>(n));
  if (n > 0) std::memset(static_cast<void*>(numbers.data()), 0xff, numbers.size() * sizeof(T));
  return DeviceArray<T>(numbers);
}

/// The same numbers on every run and machine: no distribution of the library's.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : bits_(seed) {}
  /// Sum of four uniform numbers, scaled to this deviation.
  float bell(double deviation = 1) {
    double sum = -2;
    for (int i = 0; i < 4; ++i) sum += uniform();
    return static_cast<float>(sum * std::sqrt(3.0) * deviation);
  }
  double uniform() { return static_cast<double>(bits_()) / 4294967296.0; }
  std::vector<float> bells(std::int64_t n, double deviation = 1) {
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) x = bell(deviation);
    return out;
  }

 private:
  std::mt19937 bits_;
};

/// Errors of one case. A NaN counts as an infinite one.
class Worst {
 public:
  void add(double got, double want, double terms) {
    const double error = std::abs(got - want) / std::max(terms, 1e-35);
    worst_ = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst_, error);
  }
  double value() const { return worst_; }

 private:
  double worst_ = 0;
};

template <class T>
bool same_bytes(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class T = float>
double n_different(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double n = 0;
  for (std::size_t i = 0; i < a.size(); ++i) n += same_bytes(a[i], b[i]) ? 0 : 1;
  return n;
}

/// FNV-1a over the numbers' bytes.
template <class T = float>
std::uint64_t digest_of(const std::vector<T>& numbers,
                        std::uint64_t digest = 14695981039346656037u) {
  for (const T& number : numbers) {
    unsigned char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    for (const unsigned char byte : bytes) digest = (digest ^ byte) * 1099511628211u;
  }
  return digest;
}

/// Numbers as they lie in 16 bits: half or bfloat16.
using Bits16 = std::vector<std::uint16_t>;

inline Bits16 bits16(const std::vector<float>& numbers, DType dtype) {
  Bits16 out;
  for (const float x : numbers) {
    out.push_back(dtype == DType::f16 ? half_from_float(x) : bf16_from_float(x));
  }
  return out;
}
inline std::vector<float> widened(const Bits16& bits, DType dtype) {
  std::vector<float> out;
  for (const std::uint16_t b : bits) {
    out.push_back(dtype == DType::f16 ? float_from_half(b) : float_from_bf16(b));
  }
  return out;
}

/// Part `part` of n things in a row, where they are taken in so many launches.
struct Part {
  std::int64_t first = 0;
  std::int64_t n = 0;
};
inline Part part_of(std::int64_t n, std::int64_t part, std::int64_t n_parts) {
  return {n * part / n_parts, n * (part + 1) / n_parts - n * part / n_parts};
}

using Sizes = std::vector<std::pair<const char*, std::int64_t>>;

/// "T 65, D 24".
inline std::string shape_text(const Sizes& sizes) {
  std::string text;
  for (const auto& [name, size] : sizes) {
    if (!text.empty()) text += ", ";
    text += name;
    text += ' ';
    text += std::to_string(size);
  }
  return text;
}

}  // namespace qaq::cases
