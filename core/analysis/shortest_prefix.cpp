#include "core/analysis/shortest_prefix.h"

#include <algorithm>
#include <cmath>

namespace qaq {

PrefixFound shortest_prefix(const PrefixSearch& search,
                            const std::function<bool(std::int64_t length)>& holds) {
  PrefixFound found{search.n, 0};
  for (std::int64_t length = 1; length < search.n;
       length = static_cast<std::int64_t>(std::ceil(static_cast<double>(length) * search.growth))) {
    if (holds(length)) {
      found.holds = length;
      break;
    }
    found.fails = length;
  }
  const auto undecided = [&] {
    const double allowed = search.tolerance * static_cast<double>(found.holds);
    return static_cast<double>(found.holds - found.fails) > std::max(1.0, allowed);
  };
  while (undecided()) {
    const double middle = std::sqrt(static_cast<double>(std::max<std::int64_t>(1, found.fails)) *
                                    static_cast<double>(found.holds));
    const std::int64_t length =
        std::clamp(std::llround(middle), static_cast<long long>(found.fails) + 1,
                   static_cast<long long>(found.holds) - 1);
    (holds(length) ? found.holds : found.fails) = length;
  }
  return found;
}

}  // namespace qaq
