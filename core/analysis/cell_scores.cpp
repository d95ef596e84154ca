#include "core/analysis/cell_scores.h"

#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/replay/capture_rows.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// What the token reads in one layer, with its whole cache.
struct ExactRow {
  SharedArray<float, 3> key, value, query;
  SharedArray<float, 3> attention;  // (n_heads, 1, T)
  NdArray<double, 2> output;        // (n_heads, D)
};

ExactRow exact_row(const CaptureView& capture, std::int64_t layer, std::int64_t row,
                   std::int64_t position) {
  const ModelShape& s = capture.info().shape;
  ExactRow out{capture.key(layer), capture.value(layer), capture.query(layer),
               capture.attention(layer, row, 1), NdArray<double, 2>({s.n_heads, s.head_dim})};
  for (std::int64_t head = 0; head < s.n_heads; ++head) {
    const auto sums = out.output.sub(head).span();
    const auto scores = out.attention->sub(head, 0).span();
    for (std::int64_t token = 0; token <= position; ++token) {
      const auto value = out.value->sub(head / s.group_size(), token).span();
      const double score = scores[static_cast<std::size_t>(token)];
      for (std::size_t d = 0; d < sums.size(); ++d) sums[d] += score * value[d];
    }
  }
  return out;
}

double distance(std::span<const float> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t d = 0; d < a.size(); ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return std::sqrt(sum);
}

double change_of_logit(std::span<const float> query, std::span<const float> key,
                       std::span<const float> quantized) {
  double sum = 0;
  for (std::size_t d = 0; d < query.size(); ++d) {
    sum += double{query[d]} * (double{quantized[d]} - double{key[d]});
  }
  return sum / std::sqrt(static_cast<double>(query.size()));
}

}  // namespace

CellAddress cell_at(const CellScores& scores, std::int64_t index) {
  const std::int64_t n_tokens = scores.shape(3), n_heads = scores.shape(2);
  const std::int64_t head = index / n_tokens, layer = head / n_heads;
  return {layer < scores.shape(1) ? CacheSide::key : CacheSide::value, layer % scores.shape(1),
          head % n_heads, index % n_tokens};
}

CellScores cell_scores(const CaptureView& capture, const CacheSource& quantized,
                       std::int64_t n_prefix, std::int64_t position) {
  const CaptureInfo& info = capture.info();
  const ModelShape& s = info.shape;
  const std::int64_t row = first_row_behind(info, position), n_layers = info.n_captured_layers();
  if (!info.has_queries || row >= info.n_query_rows() ||
      info.query_token[static_cast<std::size_t>(row)] != position) {
    refuse_input({.file = info.name,
                  .what = cat("holds no query of token ", position),
                  .cure = "capture again with --attention derive and without --no-queries"});
  }
  CellScores out({2, n_layers, s.n_kv_heads, n_prefix});
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    const ExactRow exact = exact_row(capture, layer, row, position);
    const auto at = static_cast<std::size_t>(layer);
    parallel_for(s.n_kv_heads, [&](std::int64_t kv_head) {
      for (std::int64_t token = 0; token < n_prefix; ++token) {
        const auto key = exact.key->sub(kv_head, token).span();
        const auto value = exact.value->sub(kv_head, token).span();
        const auto new_key = quantized.key[at]->sub(kv_head, token).span();
        const double value_error =
            std::sqrt(squared_distance(quantized.value[at]->sub(kv_head, token).span(), value));
        double key_sum = 0, value_sum = 0;
        for (std::int64_t i = 0; i < s.group_size(); ++i) {
          const std::int64_t head = kv_head * s.group_size() + i;
          const double score = (*exact.attention)(head, 0, token);
          value_sum += score * value_error;
          const auto query = exact.query->sub(head, position).span();
          const double grown = score * std::expm1(change_of_logit(query, key, new_key));
          // An exponential beyond all bounds takes the whole row.
          const double share = std::isinf(grown) ? 1.0 : std::abs(grown / (1 + grown));
          key_sum += share * distance(value, exact.output.sub(head).span());
        }
        out(0, layer, kv_head, token) = static_cast<float>(key_sum);
        out(1, layer, kv_head, token) = static_cast<float>(value_sum);
      }
    });
  }
  return out;
}

}  // namespace qaq
