#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace qaq {

/// Where long work stands. `done` and `total` count `unit`s (layers, tokens, bytes).
struct ProgressState {
  std::string_view stage;
  std::int64_t done = 0;
  std::int64_t total = 0;
  std::string_view unit;
};

/// Told how long work gets on. Called from the working thread; must return quickly.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void update(const ProgressState& state) = 0;
};

/// What every long function takes: where to report, and when to stop. Cheap to copy. The default
/// reports to nobody and never stops.
class Work {
 public:
  Work() = default;
  explicit Work(Progress* progress, std::stop_token stop = {})
      : progress_(progress), stop_(std::move(stop)) {}

  void report(const ProgressState& state) const {
    if (progress_) progress_->update(state);
  }
  bool stopped() const { return stop_.stop_requested(); }
  /// Throws Error{interrupted} once a stop was requested.
  void throw_if_stopped() const;
  const std::stop_token& stop_token() const { return stop_; }

 private:
  Progress* progress_ = nullptr;
  std::stop_token stop_;
};

}  // namespace qaq
