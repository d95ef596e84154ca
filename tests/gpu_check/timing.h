#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
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
  /// Numbers in each array of a set. `few`: two sets, whatever their size.
  Sets(const std::vector<std::int64_t>& sizes, bool few);

  std::size_t count() const { return sets_.size(); }
  float* at(std::size_t set, std::size_t array) const { return sets_[set][array]->data(); }

 private:
  using Array = std::unique_ptr<cases::DeviceArray<float>>;
  std::vector<std::vector<Array>> sets_;
};

/// Fills numbers on the device from a seed, none of them zero.
void fill_from_seed(float* numbers, std::int64_t n, std::uint32_t seed);

/// Something to time.
struct Job {
  std::string section;
  std::string name;
  std::string shape;
  Timed timed;                              ///< without its seconds
  std::size_t n_sets = 1;                   ///< launches of one pass
  std::function<void(std::size_t)> launch;  ///< queues one on the default stream
  std::function<void()> before = nullptr;   ///< queued before each pass, not timed
};

/// Adds a row with the median of 21 passes over all sets, each between two events. In the shim one
/// pass, not timed.
void measure(Context& context, const Job& job);

}  // namespace qaq::gpu_check
