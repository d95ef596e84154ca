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

// The first n of axis 1.
NdArray<float, 3> first_of_each(const NdView<const float, 3>& from, std::int64_t n) {
  if (from.empty()) return {};
  NdArray<float, 3> out({from.shape(0), n, from.shape(2)});
  for (std::int64_t head = 0; head < from.shape(0); ++head) {
    std::copy_n(from.sub(head).data(), n * from.shape(2), out.sub(head).data());
  }
  return out;
}

// The first n numbers of each row.
NdArray<float, 3> first_of_rows(const NdView<const float, 3>& from, std::int64_t n) {
  if (from.empty()) return {};
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

std::int64_t prompt_rows(const TokenRetention& retention, std::int64_t n_prompt) {
  const std::int64_t wanted = retention.retention_needs().attention_rows;
  return wanted == RetentionNeeds::kAllRows ? n_prompt : std::min(wanted, n_prompt);
}

std::unique_ptr<LayerRetention> keep_layer(const TokenRetention& retention, const PromptView& layer,
                                           const PromptNumbers& numbers,
                                           const NdView<std::uint8_t, 2>& kept) {
  const std::int64_t n = layer.shape.n_tokens;
  const auto scores = first_of_rows(numbers.scores, n);
  const auto query = first_of_each(numbers.query, n), key = first_of_each(numbers.key, n),
             value = first_of_each(numbers.value, n);
  PromptView view = layer;
  view.scores = scores.view();
  view.query = query.view();
  view.key = key.view();
  view.value = value.view();
  view.rope = numbers.rope;
  auto out = retention.open_layer(layer.layer, layer.shape, layer.n_heads);
  out->prompt(view, kept);
  return out;
}

KeptPrompt keep_prompt(const CaptureView& capture, const TokenRetention& retention,
                       std::int64_t prefix, const Work& work) {
  const CaptureInfo& info = capture.info();
  const RetentionNeeds needs = retention.retention_needs();
  const CacheShape shape{info.n_captured_layers(), info.shape.n_kv_heads, prefix,
                         info.shape.head_dim};
  const std::int64_t n_rows = prompt_rows(retention, prefix);
  if (n_rows > 0) require_rows(info, prefix - n_rows, prefix);
  if (needs.query) require_queries(info);

  KeptPrompt out;
  out.kept = NdArray<std::uint8_t, 3>({shape.n_layers, shape.n_kv_heads, prefix}, std::uint8_t{1});
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    work.report({"tokens to keep", layer, shape.n_layers, "layers"});
    work.throw_if_stopped();
    SharedArray<float, 3> scores, query, key, value;
    PromptNumbers numbers;
    if (needs.rope) numbers.rope = known_rope(info);
    const auto hold = [](SharedArray<float, 3>& holder, SharedArray<float, 3> array) {
      holder = std::move(array);
      return holder->view();
    };
    if (n_rows > 0) {
      const std::int64_t first = first_row_behind(info, prefix - n_rows);
      numbers.scores = hold(scores, capture.attention(layer, first, n_rows));
    }
    if (needs.query) numbers.query = hold(query, capture.query(layer));
    if (needs.key) numbers.key = hold(key, capture.key(layer));
    if (needs.value) numbers.value = hold(value, capture.value(layer));
    const PromptView view{.layer = layer, .shape = shape, .n_heads = info.shape.n_heads};
    out.layers.push_back(keep_layer(retention, view, numbers, out.kept.sub(layer)));
  }
  return out;
}

SharedArray<std::uint8_t, 3> kept_tokens(const CaptureView& capture,
                                         const TokenRetention& retention, std::int64_t prefix,
                                         const Work& work) {
  return std::make_shared<const NdArray<std::uint8_t, 3>>(
      std::move(keep_prompt(capture, retention, prefix, work).kept));
}

}  // namespace qaq
