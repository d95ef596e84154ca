#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace qaq::cuda {

/// Regions of a piece of memory, each in one piece, given back in the order in which they were
/// taken. Bookkeeping alone: it holds no memory. Not thread-safe.
class ByteRing {
 public:
  explicit ByteRing(std::int64_t size) : size_(size) {}

  /// What a region of so many bytes takes: regions begin at multiples of 256.
  static std::int64_t rounded(std::int64_t bytes) { return (bytes + 255) / 256 * 256; }

  /// Where the next region begins; nothing: there is no room until more is given back, or, where
  /// none is taken, none at all.
  std::optional<std::int64_t> take(std::int64_t bytes) {
    const std::int64_t n = rounded(bytes);
    const std::optional<std::int64_t> at = place(n);
    if (at) taken_.push_back({*at, n});
    return at;
  }
  /// Gives the oldest region back.
  void release() { taken_.pop_front(); }
  bool empty() const { return taken_.empty(); }

 private:
  struct Region {
    std::int64_t begin = 0;
    std::int64_t size = 0;
  };
  std::optional<std::int64_t> place(std::int64_t n) const {
    if (taken_.empty()) return n <= size_ ? std::optional<std::int64_t>(0) : std::nullopt;
    const std::int64_t oldest = taken_.front().begin;
    const std::int64_t end = taken_.back().begin + taken_.back().size;
    const bool wrapped = taken_.back().begin < oldest;
    if (end + n <= (wrapped ? oldest : size_)) return end;
    if (!wrapped && n <= oldest) return 0;
    return std::nullopt;
  }

  std::int64_t size_ = 0;
  std::deque<Region> taken_;  // oldest first
};

}  // namespace qaq::cuda
