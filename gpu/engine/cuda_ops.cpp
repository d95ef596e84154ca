#include "gpu/engine/cuda_ops.h"

#include <algorithm>
#include <cuda_runtime_api.h>

#include "gpu/cuda/kernels/activate.h"
#include "gpu/cuda/kernels/attention.h"
#include "gpu/cuda/kernels/embed.h"
#include "gpu/cuda/kernels/linear.h"
#include "gpu/cuda/kernels/norm.h"
#include "gpu/cuda/kernels/rotate_append.h"
#include "gpu/device/error.h"
#include "gpu/engine/device_plan.h"

namespace qaq::cuda {
namespace {

float* floats(const Tensor& tensor) { return static_cast<float*>(tensor.handle); }

std::size_t bytes_of(std::int64_t n) { return static_cast<std::size_t>(n) * sizeof(float); }

}  // namespace

CudaOps::CudaOps(const ModelSpec& spec, const EngineLimits& limits)
    : spec_(spec),
      limits_(limits),
      arena_(plan_device_memory(spec, limits).total()),
      pool_(tap_pool_bytes(spec_.shape, limits)) {
  const ModelShape& s = spec_.shape;
  const std::int64_t run = limits.max_batch, n_pairs = spec_.rope.n_rotary_dim / 2;
  const std::int64_t cache = s.n_layers * s.n_kv_heads * limits.max_tokens * s.head_dim;
  keys_ = arena_.take<float>(cache);
  values_ = arena_.take<float>(cache);
  query_heads_ = arena_.take<float>(s.n_heads * run * s.head_dim);
  cos_ = arena_.take<float>(run * n_pairs);
  sin_ = arena_.take<float>(run * n_pairs);
  scores_ = arena_.take<float>(score_slab_size(s, limits));
  logits_ = arena_.take<float>(std::min(logits_block_rows(s), run) * s.vocab_size);
  ids_ = arena_.take<std::int32_t>(run);
  host_angles_ = PinnedBuffer<float>(2 * run * n_pairs);
  host_ids_ = PinnedBuffer<std::int32_t>(run);
  last_logits_ = PinnedBuffer<float>(s.vocab_size);
}

float* CudaOps::cache_rows(float* cache, std::int64_t layer, std::int64_t position) const {
  const ModelShape& s = spec_.shape;
  return cache + (layer * s.n_kv_heads * limits_.max_tokens + position) * s.head_dim;
}

void CudaOps::upload(const float* from, std::int64_t n, float* to) {
  check(cudaMemcpyAsync(to, from, bytes_of(n), cudaMemcpyHostToDevice, stream_.get()),
        "copying to the GPU");
}

void CudaOps::download(const float* from, std::int64_t n, float* to) {
  check(cudaMemcpyAsync(to, from, bytes_of(n), cudaMemcpyDeviceToHost, stream_.get()),
        "copying from the GPU");
}

Tensor CudaOps::load_weight(const WeightView& weight) {
  float* device = arena_.take<float>(weight.rows * weight.cols);
  weights_.put(weight, device, stream_);
  return {weight.rows, weight.cols, DType::f32, device};
}

Tensor CudaOps::allocate(std::string_view, std::int64_t rows, std::int64_t cols) {
  return {rows, cols, DType::f32, arena_.take<float>(rows * cols)};
}

Tensor CudaOps::rows(const Tensor& matrix, std::int64_t first, std::int64_t n_rows) const {
  return {n_rows, matrix.cols, matrix.dtype, floats(matrix) + first * matrix.cols};
}

void CudaOps::begin(const BatchRows& run) {
  run_ = run;
  fill_rope_angles(spec_.rope, run, angles_);
  const std::int64_t n = angles_.cos.size();
  // The last run has been waited for: nothing reads the pinned copy any more.
  std::copy_n(angles_.cos.data(), n, host_angles_.data());
  std::copy_n(angles_.sin.data(), n, host_angles_.data() + n);
  upload(host_angles_.data(), n, cos_);
  upload(host_angles_.data() + n, n, sin_);
}

void CudaOps::embed(const Tensor& table, std::span<const std::int32_t> ids, const Tensor& out) {
  std::copy(ids.begin(), ids.end(), host_ids_.data());
  check(cudaMemcpyAsync(ids_, host_ids_.data(), ids.size_bytes(), cudaMemcpyHostToDevice,
                        stream_.get()),
        "copying token ids");
  check(cuda::embed({.table = floats(table),
                     .ids = ids_,
                     .out = floats(out),
                     .n_rows = std::ssize(ids),
                     .n_cols = table.cols},
                    stream_.get()),
        "embed");
}

void CudaOps::norm(const Tensor& in, const Tensor& weight, std::int64_t n_rows, const Tensor& out) {
  check(rms_norm({.in = floats(in),
                  .weight = floats(weight),
                  .out = floats(out),
                  .n_rows = n_rows,
                  .n_cols = weight.cols,
                  .epsilon = static_cast<float>(spec_.norm_epsilon)},
                 stream_.get()),
        "norm");
}

void CudaOps::linear(const Tensor& in, std::int64_t n_rows, std::span<const Projection> outputs) {
  for (const Projection& p : outputs) {
    check(cuda::linear({.in = floats(in),
                        .weight = floats(p.weight),
                        .bias = floats(p.bias),
                        .out = floats(p.out),
                        .n_rows = n_rows,
                        .n = p.weight.rows,
                        .k = p.weight.cols,
                        .accumulate = p.accumulate},
                       stream_.get()),
          "linear");
  }
}

void CudaOps::rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) {
  const ModelShape& s = spec_.shape;
  const std::int64_t first = rows.first_position - run_.first_position;
  const std::int64_t n_pairs = spec_.rope.n_rotary_dim / 2;
  check(cuda::rotate_append({.query = floats(heads.query),
                             .key = floats(heads.key),
                             .value = floats(heads.value),
                             .query_norm = floats(heads.query_norm),
                             .key_norm = floats(heads.key_norm),
                             .epsilon = static_cast<float>(spec_.norm_epsilon),
                             .cos = cos_ + first * n_pairs,
                             .sin = sin_ + first * n_pairs,
                             .n_rows = rows.n_rows,
                             .n_heads = s.n_heads,
                             .n_kv_heads = s.n_kv_heads,
                             .head_dim = s.head_dim,
                             .n_rotary = spec_.rope.n_rotary_dim,
                             .query_heads = query_heads_ + first * s.head_dim,
                             .query_stride = run_.n_rows,
                             .key_cache = cache_rows(keys_, layer, rows.first_position),
                             .value_cache = cache_rows(values_, layer, rows.first_position),
                             .cache_stride = limits_.max_tokens},
                            stream_.get()),
        "rotate_append");
}

void CudaOps::put(TapSink& taps, TapBlock block, const std::shared_ptr<float>& numbers) {
  stream_.wait();  // its numbers are still on their way
  const auto n = static_cast<std::size_t>(block.n_heads * block.n_rows * block.n_cols);
  block.dtype = DType::f32;
  block.bytes = std::as_bytes(std::span<const float>(numbers.get(), n));
  block.owner = numbers;
  taps.put(block);
}

void CudaOps::tap_heads(std::int64_t layer, TapSink& taps) {
  const ModelShape& s = spec_.shape;
  const std::int64_t n = run_.n_rows * s.head_dim;
  const auto tap = [&](TapKind what, std::int64_t n_heads, const float* from, std::int64_t apart) {
    if (!taps.wants(what, layer, run_.first_position, run_.n_rows)) return;
    const auto numbers = pool_.take(n_heads * n);
    for (std::int64_t head = 0; head < n_heads; ++head) {
      download(from + head * apart, n, numbers.get() + head * n);
    }
    put(taps,
        {.what = what,
         .layer = layer,
         .n_heads = n_heads,
         .first_row = run_.first_position,
         .n_rows = run_.n_rows,
         .n_cols = s.head_dim},
        numbers);
  };
  const std::int64_t head_rows = limits_.max_tokens * s.head_dim;
  tap(TapKind::query, s.n_heads, query_heads_, n);
  tap(TapKind::key, s.n_kv_heads, cache_rows(keys_, layer, run_.first_position), head_rows);
  tap(TapKind::value, s.n_kv_heads, cache_rows(values_, layer, run_.first_position), head_rows);
}

void CudaOps::attention(std::int64_t layer, const BatchRows& run, const Tensor& out,
                        TapSink* taps) {
  if (taps) tap_heads(layer, *taps);
  const ModelShape& s = spec_.shape;
  const AttentionCall call{.query = query_heads_,
                           .key = cache_rows(keys_, layer, 0),
                           .value = cache_rows(values_, layer, 0),
                           .out = floats(out),
                           .query_stride = run.n_rows,
                           .cache_stride = limits_.max_tokens,
                           .n_heads = s.n_heads,
                           .n_kv_heads = s.n_kv_heads,
                           .head_dim = s.head_dim,
                           .first_position = run.first_position,
                           .n_rows = run.n_rows,
                           .window = spec_.attention_window(layer)};
  if (!taps || !taps->wants(TapKind::attention, layer, run.first_position, run.n_rows)) {
    check(cuda::attention(call, {0, s.n_heads, 0, run.n_rows}, nullptr, stream_.get()),
          "attention");
    return;
  }
  const std::int64_t n_keys = run.first_position + run.n_rows;
  const AttentionBlock block = attention_block(s, run.n_rows, n_keys);
  for (std::int64_t head = 0; head < s.n_heads; head += block.n_heads) {
    for (std::int64_t row = 0; row < run.n_rows; row += block.n_rows) {
      const AttentionPart part{head, std::min(block.n_heads, s.n_heads - head), row,
                               std::min(block.n_rows, run.n_rows - row)};
      check(cuda::attention(call, part, scores_, stream_.get()), "attention");
      const std::int64_t n = part.n_heads * part.n_rows * n_keys;
      const auto numbers = pool_.take(n);
      download(scores_, n, numbers.get());
      put(*taps,
          {.what = TapKind::attention,
           .layer = layer,
           .first_head = head,
           .n_heads = part.n_heads,
           .first_row = run.first_position + row,
           .n_rows = part.n_rows,
           .n_cols = n_keys},
          numbers);
    }
  }
}

void CudaOps::replace_cache(std::int64_t layer, std::int64_t n_tokens,
                            const NdView<const float, 3>& key,
                            const NdView<const float, 3>& value) {
  const std::int64_t n = n_tokens * spec_.shape.head_dim;
  const std::int64_t apart = limits_.max_tokens * spec_.shape.head_dim;
  for (std::int64_t head = 0; head < key.shape(0); ++head) {
    upload(key.sub(head).data(), n, cache_rows(keys_, layer, 0) + head * apart);
    upload(value.sub(head).data(), n, cache_rows(values_, layer, 0) + head * apart);
  }
  stream_.wait();  // the caller's numbers may go now
}

void CudaOps::activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) {
  check(silu_times(floats(gate), floats(up), n_rows * gate.cols, stream_.get()), "activate");
}

void CudaOps::logits(const BatchRows& rows, const Tensor& in, const Tensor& head, TapSink* taps) {
  const ModelShape& s = spec_.shape;
  const auto multiply = [&](std::int64_t first, std::int64_t n) {
    check(cuda::linear({.in = floats(in) + first * s.hidden_size,
                        .weight = floats(head),
                        .out = logits_,
                        .n_rows = n,
                        .n = s.vocab_size,
                        .k = s.hidden_size},
                       stream_.get()),
          "logits");
  };
  if (!taps || !taps->wants(TapKind::logits, s.n_layers, rows.first_position, rows.n_rows)) {
    multiply(rows.n_rows - 1, 1);
    download(logits_, s.vocab_size, last_logits_.data());
    return;
  }
  const std::int64_t block_rows = std::min(logits_block_rows(s), rows.n_rows);
  for (std::int64_t row = 0; row < rows.n_rows; row += block_rows) {
    const std::int64_t n = std::min(block_rows, rows.n_rows - row);
    multiply(row, n);
    const auto numbers = pool_.take(n * s.vocab_size);
    download(logits_, n * s.vocab_size, numbers.get());
    download(logits_ + (n - 1) * s.vocab_size, s.vocab_size, last_logits_.data());
    put(*taps,
        {.what = TapKind::logits,
         .layer = s.n_layers,
         .n_heads = 1,
         .first_row = rows.first_position + row,
         .n_rows = n,
         .n_cols = s.vocab_size},
        numbers);
  }
}

std::span<const float> CudaOps::last_logits() const {
  return {last_logits_.data(), static_cast<std::size_t>(last_logits_.size())};
}

}  // namespace qaq::cuda
