#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/gpu/cases/check.h"
#include "tests/gpu_check/steps.h"

namespace qaq::gpu_check {

/// Sets of arrays on the device that a launch takes in turn, together more than the L2 cache holds,
/// so that none finds its numbers there. Filled from a seed, never with zeros: a GPU that computes
/// with zeros draws less power and runs faster.
class Sets {
 public:
  struct Array {
    Array(std::int64_t n_numbers, DType type = DType::f32) : n(n_numbers), dtype(type) {}
    std::int64_t n;
    DType dtype;
  };
  /// The arrays of a set. `few`: two sets, whatever their size.
  Sets(const std::vector<Array>& arrays, bool few);

  std::size_t count() const { return sets_.size(); }
  float* at(std::size_t set, std::size_t array) const {
    return reinterpret_cast<float*>(sets_[set][array]->data());
  }
  void* data(std::size_t set, std::size_t array) const { return sets_[set][array]->data(); }

 private:
  std::vector<std::vector<std::unique_ptr<cases::DeviceArray<std::byte>>>> sets_;
};

/// Fills numbers on the device from a seed, none of them zero.
void fill_from_seed(void* numbers, std::int64_t n, DType dtype, std::uint32_t seed);

/// Something to time.
struct Job {
  std::string section;
  std::string name;
  std::string shape;
  Timed timed;                              ///< without its seconds
  std::size_t n_sets = 1;                   ///< launches of one pass
  std::function<void(std::size_t)> launch;  ///< queues one on the default stream
  std::function<void()> before = nullptr;   ///< queued before each pass, not timed
  cudaStream_t stream = nullptr;            ///< on which all is queued
};

/// A job of section "fast" on such sets.
Job fast_job(const std::string& name, const std::string& shape, const Timed& timed,
             const Sets& sets, std::function<void(std::size_t)> launch);

/// Adds a row with the median of 21 passes over all sets, each between two events. In the shim one
/// pass, not timed.
void measure(Context& context, const Job& job);

/// Something to time that waits for its own work.
struct Run {
  std::string name;
  std::string shape;
  Timed timed;  ///< without its seconds
  std::function<void()> run;
  std::function<void()> before = nullptr;  ///< not timed
};

/// Adds a row with the median of 21 runs, or of as many as begin within three seconds, and gives
/// it. In the shim one run, not timed: 0.
double measure(Context& context, const Run& run);

/// Adds a row of section "fast" with what was timed elsewhere, or with a note alone. In the shim
/// without times.
void add_row(Context& context, const std::string& name, const std::string& shape,
             const std::optional<Timed>& timed, const std::string& note = "");

}  // namespace qaq::gpu_check
