#include "gpu/replay/replay_sizes.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "gpu/cuda/kernels/replay_error.h"
#include "gpu/device/buffer.h"

namespace qaq::cuda {
namespace {

constexpr std::int64_t kSpare = std::int64_t{512} << 20;

std::int64_t floats(std::int64_t n) { return Arena::rounded(4 * n); }
std::int64_t doubles(std::int64_t n) { return Arena::rounded(8 * n); }

std::int64_t total_bytes(const ReplaySizes& sizes, std::int64_t n_slots, std::int64_t n_plans) {
  return n_slots * layer_bytes(sizes) + n_plans * plan_bytes(sizes) + table_bytes(sizes);
}

}  // namespace

ReplaySizes::ReplaySizes(const CaptureInfo& info, const ReplayScope& scope)
    : n_layers(info.n_captured_layers()),
      n_heads(info.shape.n_heads),
      n_kv_heads(info.shape.n_kv_heads),
      n_tokens(info.n_tokens),
      head_dim(info.shape.head_dim),
      stride((info.shape.head_dim + 3) / 4 * 4),
      prefix(scope.prefix),
      n_rows(scope.n_rows),
      mark_bytes((info.shape.head_dim + 7) / 8),
      keeps_layers(scope.keeps_layers),
      given_scores(info.dtype != DType::f32 && info.profile != AttentionProfile::derive) {}

std::int64_t layer_bytes(const ReplaySizes& s) {
  const std::int64_t exact =
      s.given_scores ? floats(s.scores())
                     : Arena::rounded(s.row_sums() * static_cast<std::int64_t>(sizeof(RowSoftmax)));
  return 2 * floats(s.cache()) + 2 * floats(s.rows()) + exact;
}

std::int64_t exchanged_bytes(const ReplaySizes& s) {
  const std::int64_t of_cache =
      Arena::rounded(s.units() * static_cast<std::int64_t>(sizeof(UnitStats))) +
      Arena::rounded(s.units()) + doubles(s.units()) + Arena::rounded(s.units() * s.mark_bytes);
  return 2 * of_cache + 3 * doubles(s.row_sums());
}

std::int64_t plan_bytes(const ReplaySizes& s) { return 2 * floats(s.cache()) + exchanged_bytes(s); }

std::int64_t table_bytes(const ReplaySizes& s) {
  return 2 * floats(kCodebookNumbers) + floats(s.n_rows);
}

ReplayMemory divide_memory(const ReplaySizes& sizes, std::int64_t free_bytes) {
  const std::int64_t usable = std::max<std::int64_t>(0, free_bytes - kSpare);
  const std::int64_t two = std::min<std::int64_t>(2, sizes.n_layers);
  for (const std::int64_t n_slots : {sizes.keeps_layers ? sizes.n_layers : two, two}) {
    for (std::int64_t n_plans = sizes.keeps_layers ? kMaxReplayPlans : 1; n_plans > 0;
         n_plans /= 2) {
      const std::int64_t bytes = total_bytes(sizes, n_slots, n_plans);
      if (bytes <= usable) return {n_slots, n_plans, bytes};
    }
  }
  throw Error(
      ErrorKind::work,
      {.place = "GPU memory",
       .what = cat("a replay of ", sizes.n_tokens, " tokens and ", sizes.n_rows, " rows needs ",
                   byte_text(total_bytes(sizes, two, 1)), ", ", byte_text(usable), " free"),
       .cure = "replay a shorter capture or one of fewer rows, or run with --device cpu"});
}

}  // namespace qaq::cuda
