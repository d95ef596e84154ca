#include "core/policy/top_tokens.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>

namespace qaq {

std::vector<std::size_t> largest(std::span<const double> numbers, std::int64_t n) {
  std::vector<std::size_t> places(numbers.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  if (n < std::ssize(places)) {
    const auto end = places.begin() + std::max<std::int64_t>(n, 0);
    std::nth_element(places.begin(), end, places.end(), [&](std::size_t a, std::size_t b) {
      return numbers[a] != numbers[b] ? numbers[a] > numbers[b] : a < b;
    });
    places.erase(end, places.end());
  }
  std::sort(places.begin(), places.end());
  return places;
}

void keep_best(const NdView<const double, 2>& scores, std::int64_t n, std::int64_t n_sure,
               const NdView<std::uint8_t, 2>& kept) {
  assert(n_sure <= n && n <= scores.shape(1) && scores.shape() == kept.shape());
  std::fill(kept.span().begin(), kept.span().end(), std::uint8_t{0});
  for (std::int64_t head = 0; head < scores.shape(0); ++head) {
    const auto row = kept.sub(head).span();
    for (const std::size_t token : largest(scores.sub(head).span(), n_sure)) row[token] = 1;
  }
  if (n_sure == n) return;
  std::vector<double> others(scores.span().begin(), scores.span().end());
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (kept.span()[i]) others[i] = -std::numeric_limits<double>::infinity();
  }
  for (const std::size_t i : largest(others, scores.shape(0) * (n - n_sure))) kept.span()[i] = 1;
}

}  // namespace qaq
