#include "core/tensor/sparse_softmax.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "core/tensor/vector_math.h"

namespace qaq {

void sparse_softmax_row(std::span<float> row, std::size_t n_visible, float scale,
                        std::int64_t top_k) {
  const auto n_kept = static_cast<std::size_t>(top_k);
  if (top_k == 0 || n_kept >= n_visible) return softmax_row(row, n_visible, scale);
  thread_local std::vector<float> kept;
  thread_local std::vector<std::size_t> places;
  const std::span<const float> visible = row.first(n_visible);
  kept.assign(visible.begin(), visible.end());
  const auto last = kept.begin() + static_cast<std::ptrdiff_t>(n_kept) - 1;
  std::nth_element(kept.begin(), last, kept.end(), std::greater());
  const float least = *last;
  // Those above it lie before it now; of those equal to it the first of the row fill the rest.
  auto n_ties = std::count(kept.begin(), last + 1, least);
  kept.clear();
  places.clear();
  for (std::size_t i = 0; i < n_visible; ++i) {
    if (visible[i] < least || (visible[i] == least && n_ties-- <= 0)) continue;
    kept.push_back(visible[i]);
    places.push_back(i);
  }
  softmax_row(kept, n_kept, scale);
  std::ranges::fill(row, 0.0f);
  for (std::size_t i = 0; i < n_kept; ++i) row[places[i]] = kept[i];
}

}  // namespace qaq
