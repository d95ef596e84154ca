#include "core/engine/cpu_ops.h"

#include <algorithm>
#include <cmath>

#include "core/base/parallel.h"
#include "core/tensor/matmul.h"
#include "core/tensor/softmax.h"

namespace qaq {
namespace {

constexpr std::int64_t kRowsPerTask = 16;

NdView<float, 2> rows_of(const Tensor& t, std::int64_t n_rows) {
  return {static_cast<float*>(t.handle), {n_rows, t.cols}};
}

void for_row_blocks(std::int64_t n_rows, const std::function<void(std::int64_t)>& row_body) {
  parallel_for((n_rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::int64_t block) {
    const std::int64_t last = std::min(n_rows, (block + 1) * kRowsPerTask);
    for (std::int64_t row = block * kRowsPerTask; row < last; ++row) row_body(row);
  });
}

TapBlock float_block(TapKind what, std::int64_t layer, const BatchRows& batch, std::int64_t n_heads,
                     std::span<const float> numbers) {
  return {.what = what,
          .layer = layer,
          .first_head = 0,
          .n_heads = n_heads,
          .first_row = batch.first_position,
          .n_rows = batch.n_rows,
          .n_cols = static_cast<std::int64_t>(numbers.size()) / (n_heads * batch.n_rows),
          .dtype = DType::f32,
          .bytes = std::as_bytes(numbers)};
}

}  // namespace

CpuOps::CpuOps(const ModelSpec& spec, const EngineLimits& limits)
    : spec_(spec),
      shape_(spec.shape),
      n_rotary_dim_(spec.rope.n_rotary_dim),
      cos_({limits.max_tokens, n_rotary_dim_ / 2}),
      sin_({limits.max_tokens, n_rotary_dim_ / 2}),
      key_cache_({shape_.n_layers, shape_.n_kv_heads, limits.max_tokens, shape_.head_dim}),
      value_cache_(key_cache_.shape()),
      last_logits_({shape_.vocab_size}) {}

Tensor CpuOps::rows(const Tensor& matrix, std::int64_t first, std::int64_t n_rows) const {
  return {n_rows, matrix.cols, matrix.dtype,
          static_cast<float*>(matrix.handle) + first * matrix.cols};
}

void CpuOps::begin(const BatchRows& run) {
  run_ = run;
  // Angles in float64: at position 8191 a float32 angle is off by 2e-4.
  const auto frequencies = rope_frequencies(spec_.rope, run.first_position + run.n_rows);
  for (std::int64_t row = 0; row < run.n_rows; ++row) {
    const std::int64_t position = run.first_position + row;
    for (std::int64_t pair = 0; pair < n_rotary_dim_ / 2; ++pair) {
      const double angle =
          static_cast<double>(position) * frequencies[static_cast<std::size_t>(pair)];
      cos_(position, pair) = static_cast<float>(std::cos(angle) * spec_.rope.attention_factor);
      sin_(position, pair) = static_cast<float>(std::sin(angle) * spec_.rope.attention_factor);
    }
  }
  const Shape<3> query_shape{shape_.n_heads, run.n_rows, shape_.head_dim};
  if (query_heads_.shape() != query_shape) query_heads_ = NdArray<float, 3>(query_shape);
}

Tensor CpuOps::load_weight(const WeightView& weight) {
  NdArray<float, 2>& matrix = matrices_.emplace_back(Shape<2>{weight.rows, weight.cols});
  decode_matrix(weight, matrix.view());
  return {weight.rows, weight.cols, DType::f32, matrix.data()};
}

Tensor CpuOps::allocate(std::string_view, std::int64_t rows, std::int64_t cols) {
  NdArray<float, 2>& matrix = matrices_.emplace_back(Shape<2>{rows, cols});
  return {rows, cols, DType::f32, matrix.data()};
}

void CpuOps::embed(const Tensor& table, std::span<const std::int32_t> ids, const Tensor& out) {
  const auto source = rows_of(table, table.rows);
  const auto target = rows_of(out, static_cast<std::int64_t>(ids.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::ranges::copy(source.sub(ids[i]).span(), target.sub(i).data());
  }
}

namespace {

void rms_norm(std::span<const float> x, const float* scale, double epsilon, float* y) {
  double sum = 0;
  for (const float v : x) sum += static_cast<double>(v) * v;
  const auto factor =
      static_cast<float>(1.0 / std::sqrt(sum / static_cast<double>(x.size()) + epsilon));
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * factor * scale[i];
}

}  // namespace

void CpuOps::norm(const Tensor& in, const Tensor& weight, std::int64_t n_rows, const Tensor& out) {
  const auto source = rows_of(in, n_rows), target = rows_of(out, n_rows);
  const float* scale = rows_of(weight, 1).data();
  for_row_blocks(n_rows, [&](std::int64_t row) {
    rms_norm(source.sub(row).span(), scale, spec_.norm_epsilon, target.sub(row).data());
  });
}

void CpuOps::linear(const Tensor& in, std::int64_t n_rows, std::span<const Projection> outputs) {
  for (const Projection& p : outputs) {
    const auto out = rows_of(p.out, n_rows);
    qaq::linear(rows_of(in, n_rows), rows_of(p.weight, p.weight.rows), out, p.accumulate);
    if (!p.bias.handle) continue;
    const float* bias = rows_of(p.bias, 1).data();
    for_row_blocks(n_rows, [&](std::int64_t row) {
      const auto y = out.sub(row).span();
      for (std::size_t i = 0; i < y.size(); ++i) y[i] += bias[i];
    });
  }
}

void CpuOps::norm_head(std::span<float> head, const Tensor& weight) const {
  if (!weight.handle) return;
  rms_norm(head, rows_of(weight, 1).data(), spec_.norm_epsilon, head.data());
}

void CpuOps::rotate(std::span<float> head, std::int64_t position) const {
  const std::int64_t half = n_rotary_dim_ / 2;
  const float* c = cos_.sub(position).data();
  const float* s = sin_.sub(position).data();
  for (std::int64_t i = 0; i < half; ++i) {
    float& first = head[static_cast<std::size_t>(i)];
    float& second = head[static_cast<std::size_t>(i + half)];
    const float a = first, b = second;
    first = a * c[i] - b * s[i];
    second = b * c[i] + a * s[i];
  }
}

void CpuOps::rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) {
  const std::int64_t d = shape_.head_dim;
  const auto q = rows_of(heads.query, rows.n_rows), k = rows_of(heads.key, rows.n_rows),
             v = rows_of(heads.value, rows.n_rows);
  for_row_blocks(rows.n_rows, [&](std::int64_t row) {
    const std::int64_t position = rows.first_position + row;
    for (std::int64_t head = 0; head < shape_.n_heads; ++head) {
      const auto target = query_heads_.sub(head, position - run_.first_position).span();
      std::copy_n(q.sub(row).data() + head * d, d, target.data());
      norm_head(target, heads.query_norm);
      rotate(target, position);
    }
    for (std::int64_t head = 0; head < shape_.n_kv_heads; ++head) {
      const auto target = key_cache_.sub(layer, head, position).span();
      std::copy_n(k.sub(row).data() + head * d, d, target.data());
      norm_head(target, heads.key_norm);
      rotate(target, position);
      std::copy_n(v.sub(row).data() + head * d, d, value_cache_.sub(layer, head, position).data());
    }
  });
}

void CpuOps::tap_batch(std::int64_t layer, const BatchRows& batch, TapSink& taps) const {
  const auto wants = [&](TapKind what) {
    return taps.wants(what, layer, batch.first_position, batch.n_rows);
  };
  if (wants(TapKind::query)) {
    taps.put(float_block(TapKind::query, layer, batch, shape_.n_heads, query_heads_.span()));
  }
  const std::int64_t n = batch.n_rows * shape_.head_dim;
  for (const auto& [what, cache] :
       {std::pair{TapKind::key, &key_cache_}, {TapKind::value, &value_cache_}}) {
    if (!wants(what)) continue;
    for (std::int64_t head = 0; head < shape_.n_kv_heads; ++head) {
      const float* first = cache->sub(layer, head, batch.first_position).data();
      TapBlock block = float_block(what, layer, batch, 1, {first, static_cast<std::size_t>(n)});
      block.first_head = head;
      taps.put(block);
    }
  }
}

void CpuOps::attention(std::int64_t layer, const BatchRows& batch, const Tensor& out,
                       TapSink* taps) {
  if (taps) tap_batch(layer, batch, *taps);
  const bool tapped =
      taps && taps->wants(TapKind::attention, layer, batch.first_position, batch.n_rows);
  const std::int64_t window = spec_.attention_window(layer);
  const std::int64_t d = shape_.head_dim, n_keys = batch.first_position + batch.n_rows;
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d)));
  const auto target = rows_of(out, batch.n_rows);
  const std::int64_t group = attention_block_heads(shape_, batch.n_rows, n_keys);
  constexpr std::int64_t kRows = 32;
  const std::int64_t n_blocks = (batch.n_rows + kRows - 1) / kRows;

  // Scores of a few heads at a time, so that the buffer stays small beside the model.
  for (std::int64_t first_head = 0; first_head < shape_.n_heads; first_head += group) {
    const std::int64_t n_heads = std::min(group, shape_.n_heads - first_head);
    NdArray<float, 3> scores({n_heads, batch.n_rows, n_keys});
    parallel_for(n_heads * n_blocks, [&](std::int64_t task) {
      const std::int64_t head = first_head + task / n_blocks, kv = head / shape_.group_size();
      const std::int64_t row = task % n_blocks * kRows;
      const std::int64_t n = std::min(kRows, batch.n_rows - row);
      // Keys that the last row of the block sees; what lies above the diagonal stays zero.
      const std::int64_t visible = batch.first_position + row + n;
      float* s = scores.sub(head - first_head, row).data();
      matmul_nt({query_heads_.sub(head, row).data(), n, d, d},
                {key_cache_.sub(layer, kv).data(), visible, d, d}, {s, n, visible, n_keys});
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t n_visible = batch.first_position + row + i + 1;
        const std::int64_t first = window > 0 ? std::max<std::int64_t>(0, n_visible - window) : 0;
        std::fill_n(s + i * n_keys, first, 0.0f);
        softmax_row({s + i * n_keys + first, static_cast<std::size_t>(visible - first)},
                    static_cast<std::size_t>(n_visible - first), scale);
      }
      matmul_nn({s, n, visible, n_keys}, {value_cache_.sub(layer, kv).data(), visible, d, d},
                {target.data() + row * target.shape(1) + head * d, n, d, target.shape(1)});
    });
    if (!tapped) continue;
    TapBlock block = float_block(TapKind::attention, layer, batch, n_heads, scores.span());
    block.first_head = first_head;
    taps->put(block);
  }
}

void CpuOps::activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) {
  const auto g = rows_of(gate, n_rows), u = rows_of(up, n_rows);
  for_row_blocks(n_rows, [&](std::int64_t row) {
    const auto a = g.sub(row).span();
    const auto b = u.sub(row).span();
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = a[i] / (1.0f + std::exp(-a[i])) * b[i];
  });
}

void CpuOps::logits(const BatchRows& batch, const Tensor& in, const Tensor& head, TapSink* taps) {
  const auto source = rows_of(in, batch.n_rows);
  const auto weight = rows_of(head, head.rows);
  if (taps && taps->wants(TapKind::logits, shape_.n_layers, batch.first_position, batch.n_rows)) {
    const std::int64_t block_rows = std::min(logits_block_rows(shape_), batch.n_rows);
    NdArray<float, 2> block({block_rows, shape_.vocab_size});
    for (std::int64_t row = 0; row < batch.n_rows; row += block_rows) {
      const std::int64_t n = std::min(block_rows, batch.n_rows - row);
      const NdView<float, 2> rows(block.data(), {n, shape_.vocab_size});
      qaq::linear({source.sub(row).data(), {n, source.shape(1)}}, weight, rows);
      taps->put(float_block(TapKind::logits, shape_.n_layers, {batch.first_position + row, n}, 1,
                            rows.span()));
      if (row + n == batch.n_rows) std::ranges::copy(rows.sub(n - 1).span(), last_logits_.data());
    }
    return;
  }
  qaq::linear({source.sub(batch.n_rows - 1).data(), {1, source.shape(1)}}, weight,
              {last_logits_.data(), {1, shape_.vocab_size}});
}

}  // namespace qaq
