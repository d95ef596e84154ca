#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>

namespace qaq::test {

/// How far numbers lie from their reference.
struct Deviation {
  double max_abs = 0;  ///< largest |ours - reference|
  double square_sum = 0;
  double max_reference = 0;  ///< largest |reference|
  std::int64_t n = 0;

  double rms() const { return n == 0 ? 0.0 : std::sqrt(square_sum / static_cast<double>(n)); }
  double max_relative() const { return max_reference > 0 ? max_abs / max_reference : max_abs; }
  double rms_relative() const { return max_reference > 0 ? rms() / max_reference : rms(); }

  /// NaN on either side counts as an infinite deviation.
  template <class Ours, class Reference>
  void add(std::span<const Ours> ours, std::span<const Reference> reference) {
    if (ours.size() != reference.size()) throw std::logic_error("sizes to compare differ");
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const double a = static_cast<double>(ours[i]), b = static_cast<double>(reference[i]);
      const double d =
          std::isfinite(a - b) ? std::abs(a - b) : std::numeric_limits<double>::infinity();
      max_abs = std::max(max_abs, d);
      max_reference = std::max(max_reference, std::abs(b));
      square_sum += d * d;
      ++n;
    }
  }
};

}  // namespace qaq::test
