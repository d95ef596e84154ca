#pragma once

#include <chrono>

namespace qaq {

/// Adds the seconds of its own life to a sum.
class TimeIn {
 public:
  explicit TimeIn(double& sum) : sum_(sum) {}
  ~TimeIn() {
    sum_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  TimeIn(const TimeIn&) = delete;
  TimeIn& operator=(const TimeIn&) = delete;

 private:
  double& sum_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace qaq
