#include "core/engine/cpu_ops.h"

#include <algorithm>
#include <functional>

#include "core/base/parallel.h"
#include "core/engine/attention.h"
#include "core/tensor/activations.h"
#include "core/tensor/linear.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

constexpr std::int64_t kRowsPerTask = 16;

NdView<float, 2> rows_of(const Tensor& t, std::int64_t n_rows) {
  return {static_cast<float*>(t.handle), {n_rows, t.cols}};
}

// One row alone is not worth a task.
void for_row_blocks(std::int64_t n_rows, const std::function<void(std::int64_t)>& row_body) {
  parallel_for((n_rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::int64_t block) {
    const std::int64_t last = std::min(n_rows, (block + 1) * kRowsPerTask);
    for (std::int64_t row = block * kRowsPerTask; row < last; ++row) row_body(row);
  });
}

// A block of the taps that a pool's buffer holds, (n_heads, n_rows, n_cols).
TapBlock pooled_block(TapKind what, std::int64_t layer, const BatchRows& rows, std::int64_t n_heads,
                      std::int64_t n_cols) {
  return {.what = what,
          .layer = layer,
          .first_head = 0,
          .n_heads = n_heads,
          .first_row = rows.first_position,
          .n_rows = rows.n_rows,
          .n_cols = n_cols,
          .dtype = DType::f32};
}

void put(TapSink& taps, TapBlock block, const std::shared_ptr<float>& numbers) {
  const auto n = static_cast<std::size_t>(block.n_heads * block.n_rows * block.n_cols);
  block.bytes = std::as_bytes(std::span<const float>(numbers.get(), n));
  block.owner = numbers;
  taps.put(block);
}

// Rows of a run before the first whose scores `taps` wants, in whole pieces of attention's.
std::int64_t untapped_rows(const TapSink& taps, std::int64_t layer, const BatchRows& run) {
  std::int64_t n = 0;
  while (n + kAttentionRows < run.n_rows &&
         !taps.wants(TapKind::attention, layer, run.first_position + n, kAttentionRows)) {
    n += kAttentionRows;
  }
  return n;
}

}  // namespace

CpuOps::CpuOps(const ModelSpec& spec, const EngineLimits& limits)
    : spec_(spec),
      dequantize_(limits.dequantize_weights),
      cache_(spec.shape, limits.max_tokens),
      pool_(tap_pool_bytes(spec.shape, limits)),
      last_logits_({spec.shape.vocab_size}) {}

Tensor CpuOps::load_weight(const WeightView& weight) {
  WeightView kept = weight;
  if (weight.rows == 1 || (dequantize_ && weight.type != WeightType::f32)) {
    PageBuffer& decoded = buffers_.emplace_back(weight.rows * weight.cols);
    decode_matrix(weight, {decoded.data(), {weight.rows, weight.cols}});
    kept.type = WeightType::f32;
    kept.bytes = std::as_bytes(
        std::span<const float>(decoded.data(), static_cast<std::size_t>(decoded.size())));
  } else {
    require_finite(weight);
  }
  WeightView& held = weights_.emplace_back(std::move(kept));
  return {weight.rows, weight.cols, DType::f32, &held};
}

const WeightView& CpuOps::matrix_of(const Tensor& weight) const {
  return *static_cast<const WeightView*>(weight.handle);
}

const float* CpuOps::vector_of(const Tensor& weight) const {
  return weight.handle ? reinterpret_cast<const float*>(matrix_of(weight).bytes.data()) : nullptr;
}

void CpuOps::read_row(const Tensor& table, std::int64_t row, std::span<float> out) const {
  const WeightView& weight = matrix_of(table);
  const auto n_bytes = static_cast<std::size_t>(row_bytes(weight.type, weight.cols));
  decode_row(weight.type, weight.bytes.subspan(static_cast<std::size_t>(row) * n_bytes, n_bytes),
             out);
}

Tensor CpuOps::allocate(std::string_view, std::int64_t rows, std::int64_t cols, ActivationUse) {
  return {rows, cols, DType::f32, buffers_.emplace_back(rows * cols).data()};
}

Tensor CpuOps::rows(const Tensor& matrix, std::int64_t first, std::int64_t n_rows) const {
  return {n_rows, matrix.cols, matrix.dtype,
          static_cast<float*>(matrix.handle) + first * matrix.cols};
}

void CpuOps::begin(const BatchRows& run, bool) {
  run_ = run;
  fill_rope_angles(spec_.rope, run, angles_);
  heads_ = {};
}

void CpuOps::embed(const Tensor& table, std::span<const std::int32_t> ids, const Tensor& out) {
  const auto target = rows_of(out, static_cast<std::int64_t>(ids.size()));
  for (std::size_t i = 0; i < ids.size(); ++i) read_row(table, ids[i], target.sub(i).span());
}

void CpuOps::add_positions(const Tensor& table, const BatchRows& run, const Tensor& hidden) {
  const auto target = rows_of(hidden, run.n_rows);
  for_row_blocks(run.n_rows, [&](std::int64_t row) {
    std::vector<float> learned(static_cast<std::size_t>(table.cols));
    read_row(table, spec_.shape.position_offset + run.first_position + row, learned);
    const std::span<float> sum = target.sub(row).span();
    std::ranges::transform(sum, learned, sum.begin(), std::plus());
  });
}

void CpuOps::norm(const Tensor& in, const Tensor& weight, std::int64_t n_rows, const Tensor& out) {
  const auto source = rows_of(in, n_rows), target = rows_of(out, n_rows);
  for_row_blocks(n_rows, [&](std::int64_t row) {
    rms_norm(source.sub(row).span(), vector_of(weight), spec_.norm_epsilon, target.sub(row).data());
  });
}

void CpuOps::layer_norm(const Tensor& in, const NormWeights& norm, std::int64_t n_rows,
                        const Tensor& out) {
  const auto source = rows_of(in, n_rows), target = rows_of(out, n_rows);
  for_row_blocks(n_rows, [&](std::int64_t row) {
    qaq::layer_norm(source.sub(row).span(), vector_of(norm.weight), vector_of(norm.bias),
                    spec_.norm_epsilon, target.sub(row).data());
  });
}

void CpuOps::linear(const Tensor& in, std::int64_t n_rows, std::span<const Projection> outputs) {
  std::vector<LinearOutput> ours;
  for (const Projection& p : outputs) {
    ours.push_back({matrix_of(p.weight), vector_of(p.bias), rows_of(p.out, n_rows), p.accumulate});
  }
  qaq::linear(rows_of(in, n_rows), ours);
}

// Norm and rotation of one head of one token.
void CpuOps::place_head(const float* from, const Tensor& norm, std::int64_t position,
                        float* to) const {
  const std::int64_t d = spec_.shape.head_dim, row = position - run_.first_position;
  if (norm.handle) {
    rms_norm({from, static_cast<std::size_t>(d)}, vector_of(norm), spec_.norm_epsilon, to);
  } else {
    std::copy_n(from, d, to);
  }
  rotate_pairs(to, angles_.cos.sub(row).data(), angles_.sin.sub(row).data(), angles_.cos.shape(1));
}

void CpuOps::rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) {
  const ModelShape& s = spec_.shape;
  const std::int64_t d = s.head_dim, n = run_.n_rows;
  if (!heads_.query) {
    heads_ = {pool_.take(s.n_heads * n * d), pool_.take(s.n_kv_heads * n * d),
              pool_.take(s.n_kv_heads * n * d)};
  }
  const auto q = rows_of(heads.query, rows.n_rows), k = rows_of(heads.key, rows.n_rows),
             v = rows_of(heads.value, rows.n_rows);
  for_row_blocks(rows.n_rows, [&](std::int64_t row) {
    const std::int64_t position = rows.first_position + row, at = position - run_.first_position;
    for (std::int64_t head = 0; head < s.n_heads; ++head) {
      place_head(q.sub(row).data() + head * d, heads.query_norm, position,
                 heads_.query.get() + (head * n + at) * d);
    }
    for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
      float* key = heads_.key.get() + (head * n + at) * d;
      float* value = heads_.value.get() + (head * n + at) * d;
      place_head(k.sub(row).data() + head * d, heads.key_norm, position, key);
      std::copy_n(v.sub(row).data() + head * d, d, value);
      cache_.append(layer, head, position, key, value);
    }
  });
}

void CpuOps::tap_heads(std::int64_t layer, TapSink& taps) const {
  const ModelShape& s = spec_.shape;
  const auto tap = [&](TapKind what, std::int64_t n_heads, const std::shared_ptr<float>& numbers) {
    if (!taps.wants(what, layer, run_.first_position, run_.n_rows)) return;
    put(taps, pooled_block(what, layer, run_, n_heads, s.head_dim), numbers);
  };
  tap(TapKind::query, s.n_heads, heads_.query);
  tap(TapKind::key, s.n_kv_heads, heads_.key);
  tap(TapKind::value, s.n_kv_heads, heads_.value);
}

void CpuOps::attention(std::int64_t layer, const BatchRows& run, const Tensor& out, TapSink* taps) {
  if (taps) tap_heads(layer, *taps);
  const ModelShape& s = spec_.shape;
  const AttentionCall call{
      .cache = &cache_,
      .shape = &s,
      .layer = layer,
      .rule = {spec_.attention_window(layer), spec_.alibi_slopes, sparse_top_k_},
      .first_position = run.first_position,
      .n_rows = run.n_rows,
      .query = heads_.query.get(),
      .out = static_cast<float*>(out.handle),
      .kept = kept_ ? kept_->sub(layer) : NdView<const std::uint8_t, 2>{}};
  if (taps && taps->wants(TapKind::attention, layer, run.first_position, run.n_rows)) {
    const std::int64_t n_keys = run.first_position + run.n_rows;
    const std::int64_t first = untapped_rows(*taps, layer, run);
    if (first > 0) attend(call, {0, s.n_heads, 0, first}, nullptr);
    const AttentionBlock block = attention_block(s, run.n_rows - first, n_keys);
    for (std::int64_t head = 0; head < s.n_heads; head += block.n_heads) {
      for (std::int64_t row = first; row < run.n_rows; row += block.n_rows) {
        const AttentionPart part{head, std::min(block.n_heads, s.n_heads - head), row,
                                 std::min(block.n_rows, run.n_rows - row)};
        const auto scores = pool_.take(part.n_heads * part.n_rows * n_keys);
        attend(call, part, scores.get());
        TapBlock tap = pooled_block(TapKind::attention, layer,
                                    {run.first_position + row, part.n_rows}, part.n_heads, n_keys);
        tap.first_head = head;
        put(*taps, tap, scores);
      }
    }
  } else {
    attend(call, {0, s.n_heads, 0, run.n_rows}, nullptr);
  }
  heads_ = {};
}

void CpuOps::replace_cache(std::int64_t layer, std::int64_t n_tokens,
                           const NdView<const float, 3>& key, const NdView<const float, 3>& value) {
  for_row_blocks(n_tokens, [&](std::int64_t position) {
    for (std::int64_t head = 0; head < key.shape(0); ++head) {
      cache_.append(layer, head, position, key.sub(head, position).data(),
                    value.sub(head, position).data());
    }
  });
}

void CpuOps::replace_rows(std::int64_t layer, std::span<const CacheRow> rows) {
  for_row_blocks(std::ssize(rows), [&](std::int64_t i) {
    const CacheRow& row = rows[static_cast<std::size_t>(i)];
    cache_.append(layer, row.head, row.position, row.key, row.value);
  });
}

Tensor CpuOps::activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) {
  const auto g = rows_of(gate, n_rows), u = rows_of(up, n_rows);
  for_row_blocks(n_rows, [&](std::int64_t row) { swiglu(g.sub(row).span(), u.sub(row).data()); });
  return gate;
}

void CpuOps::activate_plain(const Tensor& up, std::int64_t n_rows) {
  const auto rows = rows_of(up, n_rows);
  for_row_blocks(n_rows, [&](std::int64_t i) {
    const std::span<float> row = rows.sub(i).span();
    if (spec_.activation == Activation::relu) return relu(row);
    spec_.activation == Activation::gelu ? gelu(row) : gelu_tanh(row);
  });
}

void CpuOps::logits(const BatchRows& rows, const Tensor& in, const Tensor& head, TapSink* taps) {
  const ModelShape& s = spec_.shape;
  const auto source = rows_of(in, rows.n_rows);
  const auto multiply = [&](std::int64_t first, std::int64_t n, float* out) {
    const LinearOutput output{matrix_of(head), nullptr, {out, {n, s.vocab_size}}};
    qaq::linear({source.sub(first).data(), {n, source.shape(1)}}, {&output, 1});
  };
  if (!taps || !taps->wants(TapKind::logits, s.n_layers, rows.first_position, rows.n_rows)) {
    multiply(rows.n_rows - 1, 1, last_logits_.data());
    return;
  }
  const std::int64_t block_rows = std::min(logits_block_rows(s), rows.n_rows);
  for (std::int64_t row = 0; row < rows.n_rows; row += block_rows) {
    const std::int64_t n = std::min(block_rows, rows.n_rows - row);
    const auto numbers = pool_.take(n * s.vocab_size);
    multiply(row, n, numbers.get());
    std::copy_n(numbers.get() + (n - 1) * s.vocab_size, s.vocab_size, last_logits_.data());
    put(*taps,
        pooled_block(TapKind::logits, s.n_layers, {rows.first_position + row, n}, 1, s.vocab_size),
        numbers);
  }
}

}  // namespace qaq
