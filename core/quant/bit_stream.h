#pragma once

#include <cstdint>

namespace qaq {

/// Writes codes of up to 16 bits one behind the other, least significant bit first, from any bit of
/// a zeroed buffer on. What lies before that bit in its byte stays.
class BitWriter {
 public:
  BitWriter(std::uint8_t* bytes, std::int64_t first_bit)
      : next_(bytes + first_bit / 8), n_pending_(static_cast<int>(first_bit % 8)) {
    if (n_pending_ > 0) pending_ = *next_;
  }
  void put(std::uint32_t code, int n_bits) {
    pending_ |= code << n_pending_;
    for (n_pending_ += n_bits; n_pending_ >= 8; n_pending_ -= 8) {
      *next_++ = static_cast<std::uint8_t>(pending_);
      pending_ >>= 8;
    }
  }
  /// Writes the byte that is not full yet.
  void finish() {
    if (n_pending_ > 0) *next_ = static_cast<std::uint8_t>(pending_);
  }

 private:
  std::uint8_t* next_;
  std::uint32_t pending_ = 0;
  int n_pending_;
};

/// Reads what BitWriter wrote; touches no byte behind the last code asked for.
class BitReader {
 public:
  BitReader(const std::uint8_t* bytes, std::int64_t first_bit)
      : next_(bytes + first_bit / 8), n_skipped_(static_cast<int>(first_bit % 8)) {}
  std::uint32_t get(int n_bits) {
    const int n_wanted = n_bits + n_skipped_;
    for (; n_pending_ < n_wanted; n_pending_ += 8) {
      pending_ |= std::uint32_t{*next_++} << n_pending_;
    }
    const std::uint32_t code = (pending_ >> n_skipped_) & ((1u << n_bits) - 1);
    pending_ >>= n_wanted;
    n_pending_ -= n_wanted;
    n_skipped_ = 0;
    return code;
  }

 private:
  const std::uint8_t* next_;
  int n_skipped_;  // bits of the first byte that are somebody else's
  std::uint32_t pending_ = 0;
  int n_pending_ = 0;
};

}  // namespace qaq
