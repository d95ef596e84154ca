#include <algorithm>
#include <cmath>

#include "data/capture/capture_plan.h"
#include "data/capture/capture_writer.h"

namespace qaq {
namespace {

// Measured: groups, headers, attributes, scales and the texts that are the same in all captures,
// and what scores and their statistics add to them.
constexpr std::int64_t kFixedBytes = 38'000;
constexpr std::int64_t kFixedBytesOfScores = 18'000;
// Of one chunk in the index of a dataset.
constexpr std::int64_t kChunkEntryBytes = 80;
// Of a token's display form and of its bytes: a reference, a heap object, the text itself.
constexpr std::int64_t kTokenTextBytes = 2 * 42;
// What shuffle and deflate leave of float32 statistics, and of those with the bits of 16.
constexpr double kStatsPacked = 0.85;
constexpr double kShortStatsPacked = 0.5;

std::int64_t bytes_of_rows(const RowPlan& plan) {
  const auto [n_layers, n_heads, n_rows, n_cols] = plan.extents;
  const std::int64_t row = n_cols * bytes_of(plan.dtype);
  if (!plan.grows) return n_layers * n_heads * n_rows * row;
  const std::int64_t rows = chunk_rows(plan);
  const std::int64_t n_chunks = n_layers * n_heads * ((n_rows + rows - 1) / rows);
  return n_chunks * (rows * row + kChunkEntryBytes);
}

// Of a token: what summarises its row of logits.
std::int64_t numbers_of_logits(const CapturePlan& plan) {
  return 3 + 2 * std::min(plan.top_k, plan.info.shape.vocab_size);
}

// Float32 numbers of the rows of scores at positions [first, end), as a GPU sends them.
std::int64_t numbers_of_scores(std::int64_t first, std::int64_t end) {
  std::int64_t sum = 0;
  for (std::int64_t position = first; position < end; ++position) sum += position / 4 * 4 + 4;
  return sum;
}

}  // namespace

std::int64_t predicted_capture_bytes(const CapturePlan& plan) {
  const ModelShape& s = plan.info.shape;
  const std::int64_t n_layers = plan.info.n_captured_layers();
  const std::int64_t n_tokens = plan.max_tokens;
  std::int64_t bytes = kFixedBytes + (has_scores(plan) ? kFixedBytesOfScores : 0);
  for (const RowPlan& rows : row_plans(plan)) bytes += bytes_of_rows(rows);

  const double ranges = static_cast<double>(2 * s.n_kv_heads * s.head_dim * 2);
  std::int64_t statistics = s.n_heads * n_tokens;
  if (has_scores(plan)) statistics += s.n_heads * n_tokens + 2 * s.n_kv_heads * n_tokens;
  const double packed = plan.info.dtype == DType::f32 ? kStatsPacked : kShortStatsPacked;
  bytes += std::llround(static_cast<double>(4 * n_layers) *
                        (kStatsPacked * static_cast<double>(statistics) + packed * ranges));

  const std::int64_t n_ids = 4;  // token ids and axis, attention rows and axis
  bytes += n_tokens * (4 * (numbers_of_logits(plan) + n_ids) + kTokenTextBytes);
  bytes += std::ssize(plan.info.config_json) + std::ssize(plan.info.prompt_text);
  return bytes;
}

std::int64_t predicted_link_bytes(const CapturePlan& plan) {
  const ModelShape& s = plan.info.shape;
  const std::int64_t n_tokens = plan.max_tokens;
  const std::int64_t rows = (plan.info.has_queries ? s.n_heads : 0) + 2 * s.n_kv_heads;
  std::int64_t layer = rows * n_tokens * s.head_dim * bytes_of(plan.info.dtype);
  if (has_scores(plan)) {
    // A single row is no longer than its statistics, and goes whole.
    const std::int64_t n_prompt = plan.info.n_prompt;
    const std::int64_t n_summed = n_prompt > 1 ? std::min(n_prompt, first_whole_row(plan)) : 0;
    layer += s.n_heads * 4 * (2 * n_summed + numbers_of_scores(n_summed, n_tokens));
  }
  return plan.info.n_captured_layers() * layer + n_tokens * 4 * numbers_of_logits(plan);
}

}  // namespace qaq
