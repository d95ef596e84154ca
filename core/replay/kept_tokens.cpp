#include "core/replay/kept_tokens.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/capture_rows.h"
#include "core/replay/known_rope.h"

namespace qaq {
namespace {

// The first n of each of axis 0's (n_heads, at least n, last).
NdArray<float, 3> first_of_each(const NdArray<float, 3>& from, std::int64_t n) {
  NdArray<float, 3> out({from.shape(0), n, from.shape(2)});
  for (std::int64_t head = 0; head < from.shape(0); ++head) {
    std::copy_n(from.sub(head).data(), n * from.shape(2), out.sub(head).data());
  }
  return out;
}

// The first n numbers of each row.
NdArray<float, 3> first_of_rows(const NdArray<float, 3>& from, std::int64_t n) {
  NdArray<float, 3> out({from.shape(0), from.shape(1), n});
  for (std::int64_t head = 0; head < from.shape(0); ++head) {
    for (std::int64_t row = 0; row < from.shape(1); ++row) {
      std::copy_n(from.sub(head, row).data(), n, out.sub(head, row).data());
    }
  }
  return out;
}

void require_rows(const CaptureInfo& info, std::int64_t first, std::int64_t prefix) {
  const bool there =
      info.profile != AttentionProfile::none &&
      first_row_behind(info, prefix) - first_row_behind(info, first) == prefix - first;
  if (there) return;
  refuse_input({.file = info.name,
                .place = "/entry/attention",
                .what = cat("lacks the attention rows ", first, " to ", prefix - 1,
                            " that this policy evicts by"),
                .cure = "capture again with --attention derive"});
}

void require_queries(const CaptureInfo& info) {
  if (info.has_queries) return;
  refuse_input({.file = info.name,
                .place = "/entry/query",
                .what = "holds no queries, which this policy evicts by",
                .cure = "capture again without --no-queries"});
}

}  // namespace

SharedArray<std::uint8_t, 3> kept_tokens(const CaptureView& capture,
                                         const TokenRetention& retention, std::int64_t prefix,
                                         const Work& work) {
  const CaptureInfo& info = capture.info();
  const RetentionNeeds needs = retention.retention_needs();
  const CacheShape shape{info.n_captured_layers(), info.shape.n_kv_heads, prefix,
                         info.shape.head_dim};
  const std::int64_t n_rows = needs.attention_rows == RetentionNeeds::kAllRows
                                  ? prefix
                                  : std::min(needs.attention_rows, prefix);
  if (n_rows > 0) require_rows(info, prefix - n_rows, prefix);
  if (needs.query) require_queries(info);

  NdArray<std::uint8_t, 3> kept({shape.n_layers, shape.n_kv_heads, prefix}, std::uint8_t{1});
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    work.report({"tokens to keep", layer, shape.n_layers, "layers"});
    work.throw_if_stopped();
    NdArray<float, 3> scores, query, key, value;
    PromptView view{.layer = layer, .shape = shape, .n_heads = info.shape.n_heads};
    if (n_rows > 0) {
      scores = first_of_rows(
          *capture.attention(layer, first_row_behind(info, prefix - n_rows), n_rows), prefix);
      view.scores = scores.view();
    }
    if (needs.query) {
      query = first_of_each(*capture.query(layer), prefix);
      view.query = query.view();
    }
    if (needs.key) {
      key = first_of_each(*capture.key(layer), prefix);
      view.key = key.view();
    }
    if (needs.value) {
      value = first_of_each(*capture.value(layer), prefix);
      view.value = value.view();
    }
    if (needs.rope) view.rope = known_rope(info);
    retention.open_layer(layer, shape, info.shape.n_heads)->prompt(view, kept.sub(layer));
  }
  return std::make_shared<const NdArray<std::uint8_t, 3>>(std::move(kept));
}

}  // namespace qaq
