#include "core/analysis/persistence.h"

#include <algorithm>
#include <vector>

#include "core/base/parallel.h"
#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

// Tokens below h of one head that were pivotal in an early or a late row.
struct Pivotal {
  explicit Pivotal(std::int64_t h)
      : early(static_cast<std::size_t>(h)), late(static_cast<std::size_t>(h)) {}

  void add(std::int64_t step, std::span<const float> row) {
    const double fair = 1.0 / static_cast<double>(step + 1);
    std::vector<std::uint8_t>& seen = step < static_cast<std::int64_t>(early.size()) ? early : late;
    for (std::size_t t = 0; t < seen.size(); ++t) {
      if (row[t] > fair) seen[t] = 1;
    }
  }
  double ratio() const {
    std::int64_t both = 0, n_late = 0;
    for (std::size_t t = 0; t < late.size(); ++t) {
      n_late += late[t];
      both += late[t] & early[t];
    }
    return n_late == 0 ? 1.0 : static_cast<double>(both) / static_cast<double>(n_late);
  }
  double share() const {
    return static_cast<double>(std::ranges::count(early, 1)) / static_cast<double>(early.size());
  }

  std::vector<std::uint8_t> early;
  std::vector<std::uint8_t> late;
};

}  // namespace

std::optional<Persistence> persistence(const CaptureView& capture, const Work& work) {
  const CaptureInfo& info = capture.info();
  const std::int64_t n_rows = info.n_query_rows(), n_heads = info.shape.n_heads;
  const std::int64_t n_layers = info.n_captured_layers();
  if (info.profile == AttentionProfile::none || n_rows != info.n_tokens || n_rows < 2) return {};
  Persistence out{NdArray<double, 2>({n_layers, n_heads}), NdArray<double, 2>({n_layers, n_heads})};
  const std::int64_t block = rows_at_a_time(info);
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({"persistence", layer, n_layers, "layers"});
    std::vector<Pivotal> heads(static_cast<std::size_t>(n_heads), Pivotal(n_rows / 2));
    for (std::int64_t first = 0; first < n_rows; first += block) {
      work.throw_if_stopped();
      const std::int64_t n = std::min(block, n_rows - first);
      const auto scores = capture.attention(layer, first, n);
      parallel_for(n_heads, [&](std::int64_t head) {
        for (std::int64_t i = 0; i < n; ++i) {
          heads[static_cast<std::size_t>(head)].add(first + i, scores->sub(head, i).span());
        }
      });
    }
    for (std::int64_t head = 0; head < n_heads; ++head) {
      out.ratio(layer, head) = heads[static_cast<std::size_t>(head)].ratio();
      out.share(layer, head) = heads[static_cast<std::size_t>(head)].share();
    }
  }
  work.report({"persistence", n_layers, n_layers, "layers"});
  return out;
}

}  // namespace qaq
