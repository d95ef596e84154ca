#include "core/replay/capture_rows.h"

#include <algorithm>

namespace qaq {

std::int64_t first_row_behind(const CaptureInfo& info, std::int64_t position) {
  const auto& rows = info.query_token;
  return std::lower_bound(rows.begin(), rows.end(), position) - rows.begin();
}

std::int64_t first_replayed_row(const CaptureInfo& info, std::int64_t prefix) {
  const std::int64_t first = first_row_behind(info, prefix);
  return first == info.n_query_rows() ? 0 : first;
}

std::int64_t rows_at_a_time(const CaptureInfo& info) {
  constexpr std::int64_t kScores = 16 << 20;
  // 64 rows make a task of the replay; fewer would cost more than they save.
  return std::max<std::int64_t>(64, kScores / (info.shape.n_heads * info.n_tokens));
}

}  // namespace qaq
