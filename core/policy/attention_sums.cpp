#include "core/policy/attention_sums.h"

#include <algorithm>
#include <cassert>

#include "core/base/parallel.h"
#include "core/tensor/vector_math.h"

namespace qaq {

NdArray<double, 2> attention_sums(const NdView<const float, 3>& scores, std::int64_t n_rows,
                                  std::int64_t n_tokens) {
  assert(scores.shape(1) >= n_rows && scores.shape(2) >= n_tokens);
  NdArray<double, 2> out({scores.shape(0), n_tokens});
  parallel_for(scores.shape(0), [&](std::int64_t head) {
    double* const sums = out.sub(head).data();
    for (std::int64_t row = scores.shape(1) - n_rows; row < scores.shape(1); ++row) {
      const auto seen = scores.sub(head, row).span();
      add_to_sums(seen.first(static_cast<std::size_t>(n_tokens)), sums);
    }
  });
  return out;
}

NdArray<double, 2> reduce_groups(const NdView<const double, 2>& of_heads, GqaReduce reduce,
                                 std::int64_t n_kv_heads) {
  assert(of_heads.shape(0) % n_kv_heads == 0);
  const std::int64_t group = of_heads.shape(0) / n_kv_heads, n = of_heads.shape(1);
  NdArray<double, 2> out({n_kv_heads, n});
  for (std::int64_t kv_head = 0; kv_head < n_kv_heads; ++kv_head) {
    for (std::int64_t i = 0; i < n; ++i) {
      double all = of_heads(kv_head * group, i);
      for (std::int64_t head = kv_head * group + 1; head < (kv_head + 1) * group; ++head) {
        const double one = of_heads(head, i);
        all = reduce == GqaReduce::max ? std::max(all, one) : all + one;
      }
      out(kv_head, i) = reduce == GqaReduce::mean ? all / static_cast<double>(group) : all;
    }
  }
  return out;
}

}  // namespace qaq
