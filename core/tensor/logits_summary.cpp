#include "core/tensor/logits_summary.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace qaq {

LogitsSummary summarize_logits(std::span<const float> row, std::int64_t k) {
  std::vector<std::int32_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  const auto n =
      std::min(static_cast<std::ptrdiff_t>(std::max<std::int64_t>(k, 1)), std::ssize(order));
  std::partial_sort(order.begin(), order.begin() + n, order.end(),
                    [&](std::int32_t a, std::int32_t b) {
                      const float x = row[static_cast<std::size_t>(a)];
                      const float y = row[static_cast<std::size_t>(b)];
                      return x > y || (x == y && a < b);
                    });
  LogitsSummary out;
  out.argmax = order.front();
  out.argmax_logit = row[static_cast<std::size_t>(out.argmax)];
  double sum = 0;
  for (const float logit : row) {
    sum += std::exp(static_cast<double>(logit) - static_cast<double>(out.argmax_logit));
  }
  out.logsumexp = static_cast<float>(static_cast<double>(out.argmax_logit) + std::log(sum));
  order.resize(static_cast<std::size_t>(std::min(static_cast<std::ptrdiff_t>(k), n)));
  for (const std::int32_t id : order) out.topk_logits.push_back(row[static_cast<std::size_t>(id)]);
  out.topk_ids = std::move(order);
  return out;
}

}  // namespace qaq
