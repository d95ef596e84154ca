#include "data/capture/capture_tables.h"

#include <span>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "data/capture/capture_layout.h"
#include "data/capture/capture_plan.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_packed.h"

namespace qaq {
namespace {

template <class T>
void write_column(const h5::File& file, const char* name, const std::vector<T>& values,
                  std::int64_t n_tokens) {
  const auto n = static_cast<std::size_t>(n_tokens);
  h5::write_array<T>(file, cat(capture_path::kLogits, "/", name), {n}, std::span(values).first(n));
}

template <class T>
void write_columns(const h5::File& file, const char* name, const NdArray<T, 2>& values,
                   std::int64_t n_tokens) {
  const auto n = static_cast<std::size_t>(n_tokens);
  const auto k = static_cast<std::size_t>(values.shape(1));
  h5::write_array<T>(file, cat(capture_path::kLogits, "/", name), {n, k},
                     values.span().first(n * k));
}

template <std::size_t Rank>
void write_stat(const h5::File& file, const std::string& path, const NdArray<float, Rank>& values) {
  h5::write_packed<float>(file, path, {values.shape().begin(), values.shape().end()},
                          values.span());
}

}  // namespace

void write_logits(const h5::File& file, const LogitsTable& logits, std::int64_t n_tokens) {
  write_column(file, "argmax", logits.argmax, n_tokens);
  write_column(file, "argmax_logit", logits.argmax_logit, n_tokens);
  write_column(file, "logsumexp", logits.logsumexp, n_tokens);
  write_columns(file, "topk_ids", logits.topk_ids, n_tokens);
  write_columns(file, "topk_logits", logits.topk_logits, n_tokens);
}

void write_stats(const h5::File& file, const CaptureStats& stats, const CapturePlan& plan,
                 std::int64_t n_tokens) {
  const std::string folder = cat(capture_path::kStats, "/");
  write_stat(file, capture_path::kQueryNorm2, stats.query_norm2(n_tokens));
  write_stat(file, folder + "key_range", stats.key_range(plan.info.dtype));
  write_stat(file, folder + "value_range", stats.value_range(plan.info.dtype));
  if (!has_scores(plan)) return;
  write_stat(file, folder + "importance_window", stats.importance_window(n_tokens));
  h5::Attributes(file, folder + "importance_window").set("n", CaptureStats::kImportanceRows);
  write_stat(file, folder + "importance_sum", stats.importance_sum(n_tokens));
  write_stat(file, folder + "entropy", stats.entropy(n_tokens));
}

}  // namespace qaq
