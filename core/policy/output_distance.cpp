#include "core/policy/output_distance.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace qaq {

void output_distances(const NdView<const float, 3>& scores, const NdView<const float, 3>& value,
                      const NdView<float, 2>& out) {
  const std::int64_t n_kv_heads = out.shape(0), n_tokens = out.shape(1);
  const std::int64_t group = scores.shape(0) / n_kv_heads;
  assert(scores.shape(2) >= n_tokens && value.shape(1) >= n_tokens);
  std::vector<double> output(static_cast<std::size_t>(value.shape(2)));
  for (std::int64_t head = 0; head < scores.shape(0); ++head) {
    const std::int64_t kv_head = head / group;
    const auto s = scores.sub(head, 0).span();
    std::fill(output.begin(), output.end(), 0.0);
    for (std::int64_t t = 0; t < n_tokens; ++t) {
      const auto v = value.sub(kv_head, t).span();
      const double score = s[static_cast<std::size_t>(t)];
      for (std::size_t d = 0; d < output.size(); ++d) output[d] += score * v[d];
    }
    for (std::int64_t t = 0; t < n_tokens; ++t) {
      const auto v = value.sub(kv_head, t).span();
      double distance = 0;
      for (std::size_t d = 0; d < output.size(); ++d) {
        distance += (v[d] - output[d]) * (v[d] - output[d]);
      }
      float& largest = out(kv_head, t);
      const auto own = static_cast<float>(distance);
      largest = head % group == 0 ? own : std::max(largest, own);
    }
  }
}

}  // namespace qaq
