#pragma once

#include <optional>
#include <span>
#include <vector>

namespace qaq {

/// What a setting saves and what it loses.
struct Tradeoff {
  double ratio = 1;  ///< uncompressed over compressed; more is better
  double loss = 0;   ///< less is better
};

/// By point: whether no other has at least its ratio at no more loss, and is better in one of them.
std::vector<bool> pareto_front(std::span<const Tradeoff> points);

/// The loss that points (of rising ratio) have at `ratio`, where the bytes of two neighbours are
/// mixed: their losses' logarithms, linear in bytes = 1 / ratio. Nothing outside their span, and
/// where a loss is not above 0.
std::optional<double> loss_at(std::span<const Tradeoff> points, double ratio);

}  // namespace qaq
