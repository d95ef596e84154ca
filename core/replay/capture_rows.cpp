#include "core/replay/capture_rows.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

std::int64_t first_row_behind(const CaptureInfo& info, std::int64_t position) {
  const auto& rows = info.query_token;
  return std::lower_bound(rows.begin(), rows.end(), position) - rows.begin();
}

std::int64_t first_replayed_row(const CaptureInfo& info, std::int64_t prefix) {
  const std::int64_t first = first_row_behind(info, prefix);
  return first == info.n_query_rows() ? 0 : first;
}

void refuse_without_queries(const std::string& name, const QueryNormRule& rule) {
  refuse_input(
      {.file = name,
       .place = "/entry/query",
       .what = cat("holds no queries, which key.",
                   rule.average ? "sensitivity=ema follows" : "q_norm=auto is measured on"),
       .cure = cat("capture again without --no-queries, or --set key.",
                   rule.average ? "sensitivity=window" : "q_norm=300")});
}

std::int64_t rows_at_a_time(const CaptureInfo& info) {
  constexpr std::int64_t kScores = 16 << 20;
  // 64 rows make a task of the replay; fewer would cost more than they save.
  return std::max<std::int64_t>(64, kScores / (info.shape.n_heads * info.n_tokens));
}

}  // namespace qaq
