#pragma once

#include <cstdint>
#include <functional>

namespace qaq {

/// How a search goes through the lengths 1 .. n.
struct PrefixSearch {
  std::int64_t n = 0;      ///< of which it is known that it holds
  double growth = 8;       ///< lengths tried first: 1, growth, growth^2, ...; above 1
  double tolerance = 0.1;  ///< share of the length that may stay undecided
};

/// What was found: `holds` was tried (or is n), `fails` was tried (or is 0), and between them lies
/// at most the tolerance.
struct PrefixFound {
  std::int64_t holds = 0;
  std::int64_t fails = 0;
};

/// The shortest prefix of an order for which `holds` is true, if it stays true once it is: by
/// growing lengths, then by bisection in the logarithm. A short one is found in few calls.
PrefixFound shortest_prefix(const PrefixSearch& search,
                            const std::function<bool(std::int64_t length)>& holds);

}  // namespace qaq
