#include "core/tensor/logits_summary.h"

#include <algorithm>
#include <cstddef>

#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// The order of a summary: larger logits first, of equal ones the lower id.
struct ByLogit {
  std::span<const float> row;
  bool operator()(std::int32_t a, std::int32_t b) const {
    const float x = row[static_cast<std::size_t>(a)], y = row[static_cast<std::size_t>(b)];
    return x > y || (x == y && a < b);
  }
};

// Ids of the k largest logits, best first. Most stretches of a row hold none of them, which their
// largest number tells.
std::vector<std::int32_t> largest_ids(std::span<const float> row, std::size_t k) {
  constexpr std::size_t kStretch = 256;
  const ByLogit better{row};
  std::vector<std::int32_t> heap;  // the worst of those kept is in front
  for (std::size_t begin = 0; begin < row.size(); begin += kStretch) {
    const std::size_t n = std::min(kStretch, row.size() - begin);
    const auto worst = [&] { return row[static_cast<std::size_t>(heap.front())]; };
    if (heap.size() == k && largest_of(row.subspan(begin, n)) <= worst()) continue;
    for (std::size_t i = begin; i < begin + n; ++i) {
      if (heap.size() == k && row[i] <= worst()) continue;
      if (heap.size() == k) {
        std::ranges::pop_heap(heap, better);
        heap.pop_back();
      }
      heap.push_back(static_cast<std::int32_t>(i));
      std::ranges::push_heap(heap, better);
    }
  }
  std::ranges::sort_heap(heap, better);
  return heap;
}

}  // namespace

LogitsSummary summarize_logits(std::span<const float> row, std::int64_t k) {
  LogitsSummary out;
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(k, 1));
  out.topk_ids = largest_ids(row, std::min(wanted, row.size()));
  out.argmax = out.topk_ids.front();
  out.argmax_logit = row[static_cast<std::size_t>(out.argmax)];
  out.logsumexp = static_cast<float>(log_sum_exp(row, out.argmax_logit));
  out.topk_ids.resize(static_cast<std::size_t>(
      std::clamp<std::int64_t>(k, 0, static_cast<std::int64_t>(out.topk_ids.size()))));
  for (const std::int32_t id : out.topk_ids) {
    out.topk_logits.push_back(row[static_cast<std::size_t>(id)]);
  }
  return out;
}

}  // namespace qaq
