#include "core/evaluate/stream_taps.h"

#include <algorithm>
#include <utility>

#include "core/evaluate/time_in.h"
#include "core/replay/finite.h"

namespace qaq {

StreamTaps::StreamTaps(const ModelSpec& spec, const Options& options)
    : name_(spec.name), shape_(spec.shape), options_(options) {
  const ModelShape& s = shape_;
  const auto hold = [&](std::int64_t n_heads, std::vector<NdArray<float, 3>>& arrays,
                        std::vector<NdView<const float, 3>>& views) {
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      arrays.emplace_back(Shape<3>{n_heads, options.max_tokens, s.head_dim});
      views.emplace_back(arrays.back().view());
    }
  };
  hold(s.n_kv_heads, key_, layers_.key);
  hold(s.n_kv_heads, value_, layers_.value);
  if (options.with_queries) hold(s.n_heads, query_, layers_.query);
  layers_.shape = {s.n_layers, s.n_kv_heads, options.max_tokens, s.head_dim};
  if (!options.with_attention) return;
  for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
    newest_.emplace_back(Shape<3>{s.n_heads, 1, options.max_tokens});
  }
}

void StreamTaps::hand_rows(std::int64_t first_row, OnRow on_row) {
  first_row_ = first_row;
  on_row_ = std::move(on_row);
}

bool StreamTaps::wants(TapKind what, std::int64_t, std::int64_t first_row,
                       std::int64_t n_rows) const {
  if (what == TapKind::query) return options_.with_queries;
  if (what == TapKind::attention) {
    return options_.with_attention && first_row + n_rows > first_row_;
  }
  return what == TapKind::key || what == TapKind::value;
}

void StreamTaps::put(const TapBlock& block) {
  const TimeIn time(seconds_);
  if (!wants(block.what, block.layer, block.first_row, block.n_rows)) return;
  const auto layer = static_cast<std::size_t>(block.layer);
  if (block.what == TapKind::attention) return collect(block);
  hold(block, block.what == TapKind::query ? query_[layer]
              : block.what == TapKind::key ? key_[layer]
                                           : value_[layer]);
}

void StreamTaps::hold(const TapBlock& block, NdArray<float, 3>& array) const {
  const char* name = block.what == TapKind::query ? "query"
                     : block.what == TapKind::key ? "key"
                                                  : "value";
  const auto numbers = block.floats();
  refuse_nonfinite({numbers.data(), {block.n_heads, block.n_rows, block.n_cols}}, name_,
                   static_cast<std::int32_t>(block.layer),
                   {name, "head", "token", "channel", block.first_row}, options_.dtype);
  const std::int64_t n = block.n_rows * block.n_cols;
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    float* to = array.sub(block.first_head + head, block.first_row).data();
    std::transform(numbers.data() + head * n, numbers.data() + (head + 1) * n, to,
                   [&](float x) { return rounded(x, options_.dtype); });
  }
}

void StreamTaps::collect(const TapBlock& block) {
  const std::int64_t end = block.n_cols;  // the run's
  const Shape<3> shape{end - first_row_, shape_.n_heads, end};
  if (rows_.shape() != shape) rows_ = NdArray<float, 3>(shape);
  const auto numbers = block.floats();
  const std::int64_t skipped = std::max<std::int64_t>(0, first_row_ - block.first_row);
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    for (std::int64_t row = skipped; row < block.n_rows; ++row) {
      std::copy_n(numbers.data() + (head * block.n_rows + row) * end, end,
                  rows_.sub(block.first_row + row - first_row_, block.first_head + head).data());
    }
  }
  const bool whole =
      block.first_head + block.n_heads == shape_.n_heads && block.first_row + block.n_rows == end;
  if (!whole) return;
  for (std::int64_t row = 0; row < shape[0]; ++row) {
    on_row_(block.layer, first_row_ + row, {rows_.sub(row).data(), {shape_.n_heads, 1, end}});
  }
  for (std::int64_t head = 0; head < shape_.n_heads; ++head) {
    std::ranges::copy(rows_.sub(shape[0] - 1, head).span(),
                      newest_[static_cast<std::size_t>(block.layer)].sub(head).data());
  }
}

double StreamTaps::take_seconds() { return std::exchange(seconds_, 0.0); }

}  // namespace qaq
