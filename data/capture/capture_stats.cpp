#include "data/capture/capture_stats.h"

#include <algorithm>
#include <limits>

#include "core/tensor/vector_math.h"
#include "data/capture/stored_numbers.h"

namespace qaq {
namespace {

NdView<const float, 3> scores_of(const TapBlock& block) {
  return {block.floats().data(), {block.n_heads, block.n_rows, block.n_cols}};
}

NdArray<float, 4> empty_range(const ModelShape& shape, std::int64_t n_layers) {
  NdArray<float, 4> range({n_layers, shape.n_kv_heads, shape.head_dim, 2},
                          std::numeric_limits<float>::infinity());
  for (std::int64_t i = 1; i < range.size(); i += 2) range.data()[i] = -range.data()[i];
  return range;
}

void widen(NdArray<float, 4>& range, std::int64_t layer_index, const TapBlock& block) {
  const NdView<const float, 3> values = scores_of(block);
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    const auto channels = range.sub(layer_index, block.first_head + head);
    for (std::int64_t row = 0; row < block.n_rows; ++row) {
      for (std::int64_t d = 0; d < block.n_cols; ++d) {
        const float x = values(head, row, d);
        channels(d, 0) = std::min(channels(d, 0), x);
        channels(d, 1) = std::max(channels(d, 1), x);
      }
    }
  }
}

// Rounding keeps order, so the range of the stored numbers is the stored range.
NdArray<float, 4> stored(const NdArray<float, 4>& range, DType dtype) {
  NdArray<float, 4> out(range.shape());
  for (std::int64_t i = 0; i < range.size(); ++i) {
    out.data()[i] = rounded(range.data()[i], dtype);
  }
  return out;
}

template <class T>
NdArray<float, 3> first_tokens(const NdArray<T, 3>& all, std::int64_t n_tokens) {
  NdArray<float, 3> out({all.shape(0), all.shape(1), n_tokens});
  for (std::int64_t layer = 0; layer < all.shape(0); ++layer) {
    for (std::int64_t head = 0; head < all.shape(1); ++head) {
      for (std::int64_t t = 0; t < n_tokens; ++t) {
        out(layer, head, t) = static_cast<float>(all(layer, head, t));
      }
    }
  }
  return out;
}

}  // namespace

CaptureStats::CaptureStats(const ModelShape& shape, std::int64_t n_layers, std::int64_t max_tokens,
                           bool with_attention)
    : group_size_(shape.group_size()),
      query_norm2_({n_layers, shape.n_heads, max_tokens}),
      key_range_(empty_range(shape, n_layers)),
      value_range_(empty_range(shape, n_layers)) {
  if (!with_attention) return;
  entropy_ = NdArray<float, 3>({n_layers, shape.n_heads, max_tokens});
  importance_sum_ = NdArray<double, 3>({n_layers, shape.n_kv_heads, max_tokens});
  recent_ = NdArray<float, 4>({n_layers, shape.n_kv_heads, kImportanceRows, max_tokens});
  recent_row_ = NdArray<std::int64_t, 3>({n_layers, shape.n_kv_heads, kImportanceRows}, -1);
}

void CaptureStats::add_query(std::int64_t layer_index, const TapBlock& block) {
  const NdView<const float, 3> query = scores_of(block);
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    for (std::int64_t row = 0; row < block.n_rows; ++row) {
      double sum = 0;
      for (const float x : query.sub(head, row).span()) sum += static_cast<double>(x) * x;
      query_norm2_(layer_index, block.first_head + head, block.first_row + row) =
          static_cast<float>(sum);
    }
  }
}

void CaptureStats::add_key(std::int64_t layer_index, const TapBlock& block) {
  widen(key_range_, layer_index, block);
}

void CaptureStats::add_value(std::int64_t layer_index, const TapBlock& block) {
  widen(value_range_, layer_index, block);
}

bool CaptureStats::add_attention(std::int64_t layer_index, const TapBlock& block) {
  // All of a row at once, while it lies in the cache: a block is larger than that.
  const NdView<const float, 3> scores = scores_of(block);
  bool finite = true;
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    for (std::int64_t row = 0; row < block.n_rows; ++row) {
      const std::int64_t position = block.first_row + row;
      const auto seen = scores.sub(head, row).span().first(static_cast<std::size_t>(position) + 1);
      finite = finite && all_within(seen, std::numeric_limits<float>::max());
      // Of a block's rows only the last ones are still recent at its end.
      add_importance({layer_index, (block.first_head + head) / group_size_, position}, seen,
                     row + kImportanceRows >= block.n_rows);
      entropy_(layer_index, block.first_head + head, position) =
          static_cast<float>(qaq::entropy(seen));
    }
  }
  return finite;
}

bool CaptureStats::add_attention_stats(std::int64_t layer_index, const TapBlock& block) {
  const NdView<const float, 2> stats(block.floats().data(),
                                     {block.n_heads, block.n_rows + block.n_cols});
  const auto n_rows = static_cast<std::size_t>(block.n_rows);
  bool finite = true;
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    const std::int64_t of_model = block.first_head + head;
    const auto of_head = stats.sub(head).span();
    const auto entropies = of_head.first(n_rows);
    finite = finite && all_within(entropies, std::numeric_limits<float>::max());
    std::ranges::copy(entropies, entropy_.sub(layer_index, of_model).data() + block.first_row);
    add_to_sums(of_head.subspan(n_rows),
                importance_sum_.sub(layer_index, of_model / group_size_).data());
  }
  return finite;
}

void CaptureStats::add_importance(const RowPlace& place, std::span<const float> seen, bool recent) {
  add_to_sums(seen, importance_sum_.sub(place.layer_index, place.kv_head).data());
  if (!recent) return;
  const std::int64_t slot = place.position % kImportanceRows;
  std::int64_t& held = recent_row_(place.layer_index, place.kv_head, slot);
  const auto maxima = recent_.sub(place.layer_index, place.kv_head, slot).span();
  if (held > place.position) return;
  if (held < place.position) std::ranges::fill(maxima, 0.0f);
  held = place.position;
  raise_to_maxima(seen, maxima.data());
}

NdArray<float, 3> CaptureStats::query_norm2(std::int64_t n_tokens) const {
  return first_tokens(query_norm2_, n_tokens);
}

NdArray<float, 3> CaptureStats::importance_sum(std::int64_t n_tokens) const {
  return first_tokens(importance_sum_, n_tokens);
}

NdArray<float, 3> CaptureStats::entropy(std::int64_t n_tokens) const {
  return first_tokens(entropy_, n_tokens);
}

NdArray<float, 3> CaptureStats::importance_window(std::int64_t n_tokens) const {
  NdArray<float, 3> out({recent_.shape(0), recent_.shape(1), n_tokens});
  for (std::int64_t layer = 0; layer < out.shape(0); ++layer) {
    for (std::int64_t head = 0; head < out.shape(1); ++head) {
      const auto window = out.sub(layer, head);
      for (std::int64_t slot = 0; slot < kImportanceRows; ++slot) {
        for (std::int64_t t = 0; t < n_tokens; ++t) {
          window(t) = std::max(window(t), recent_(layer, head, slot, t));
        }
      }
    }
  }
  return out;
}

NdArray<float, 4> CaptureStats::key_range(DType dtype) const { return stored(key_range_, dtype); }
NdArray<float, 4> CaptureStats::value_range(DType dtype) const {
  return stored(value_range_, dtype);
}

}  // namespace qaq
