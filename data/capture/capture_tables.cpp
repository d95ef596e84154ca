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
h5::PackedArray packed(const std::string& path, const NdArray<float, Rank>& values) {
  return h5::PackedArray::of<float>(path, {values.shape().begin(), values.shape().end()},
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

std::vector<h5::PackedArray> packed_stats(const CaptureStats& stats, const CapturePlan& plan,
                                          std::int64_t n_tokens) {
  const std::string folder = cat(capture_path::kStats, "/");
  std::vector<h5::PackedArray> out;
  out.push_back(packed(capture_path::kQueryNorm2, stats.query_norm2(n_tokens)));
  out.push_back(packed(folder + "key_range", stats.key_range(plan.info.dtype)));
  out.push_back(packed(folder + "value_range", stats.value_range(plan.info.dtype)));
  if (!has_scores(plan)) return out;
  out.push_back(packed(folder + "importance_sum", stats.importance_sum(n_tokens)));
  out.push_back(packed(folder + "entropy", stats.entropy(n_tokens)));
  out.push_back(packed(capture_path::kImportanceWindow, stats.importance_window(n_tokens)));
  return out;
}

void write_stats(const h5::File& file, const std::vector<h5::PackedArray>& stats) {
  for (const h5::PackedArray& array : stats) {
    array.write(file);
    if (array.path() == capture_path::kImportanceWindow) {
      h5::Attributes(file, array.path()).set("n", CaptureStats::kImportanceRows);
    }
  }
}

}  // namespace qaq
