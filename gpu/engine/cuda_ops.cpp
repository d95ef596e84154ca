#include "gpu/engine/cuda_ops.h"

#include <algorithm>
#include <cuda_runtime_api.h>
#include <vector>

#include "core/engine/forward.h"
#include "gpu/cuda/kernels/activate.h"
#include "gpu/cuda/kernels/attention_stats.h"
#include "gpu/cuda/kernels/embed.h"
#include "gpu/cuda/kernels/logits_top.h"
#include "gpu/cuda/kernels/norm.h"
#include "gpu/cuda/kernels/rotate_append.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/device/error.h"
#include "gpu/engine/device_plan.h"

namespace qaq::cuda {
namespace {

float* floats(const Tensor& tensor) { return static_cast<float*>(tensor.handle); }

// Rows that are asked about together whether anybody wants their scores.
constexpr std::int64_t kRowsAsked = 64;
// Tokens of context that a graph of a decode step serves.
constexpr std::int64_t kBucket = 512;

// What a block of scores, or of their statistics, is of a call.
AttentionPart part_of(const HalfAttentionCall& call, const TapBlock& block) {
  return {block.first_head, block.n_heads, block.first_row - call.first_position, block.n_rows};
}

Products products(std::shared_ptr<CublasLt> library, const EngineLimits& limits, Arena& arena) {
  if (limits.dtype == DType::f32) return {nullptr, nullptr};
  auto* workspace = arena.take<std::byte>(Products::kWorkspaceBytes);
  return {std::move(library), workspace};
}

}  // namespace

CudaOps::CudaOps(const ModelSpec& spec, const EngineLimits& limits,
                 std::shared_ptr<CublasLt> library, std::int64_t cache_tokens,
                 std::int64_t more_bytes)
    : spec_(spec),
      limits_(limits),
      arena_(plan_engine_memory(spec, limits).total() + more_bytes),
      cache_tokens_(cache_tokens),
      cache_arena_(std::make_unique<Arena>(cache_bytes(spec, limits.dtype, cache_tokens))),
      products_(products(std::move(library), limits, arena_)),
      weights_(spec, arena_.take<std::byte>(WeightUpload::device_bytes(spec))) {
  const ModelShape& s = spec_.shape;
  const std::int64_t run = limits.max_batch, n_pairs = spec_.rope.n_rotary_dim / 2;
  const std::int64_t cache =
      bytes_of_numbers(s.n_layers * s.n_kv_heads * cache_tokens * s.head_dim);
  keys_ = cache_arena_->take<std::byte>(cache);
  values_ = cache_arena_->take<std::byte>(cache);
  query_heads_ = take_numbers(s.n_heads * run * s.head_dim);
  activated_ = limits.dtype == DType::f32
                   ? nullptr
                   : take_numbers(std::min(run, kChunkRows) * s.intermediate_size);
  cos_ = arena_.take<float>(run * n_pairs);
  sin_ = arena_.take<float>(run * n_pairs);
  logits_ = arena_.take<float>(logits_rows(spec, limits) * s.vocab_size);
  ids_ = arena_.take<std::int32_t>(run);
  position_ = arena_.take<std::int64_t>(1);
  attention_work_ =
      reinterpret_cast<float*>(arena_.take<std::byte>(attention_workspace(spec, limits)));
  host_angles_ = PinnedBuffer<float>(2 * run * n_pairs);
  host_ids_ = PinnedBuffer<std::int32_t>(run);
  host_position_ = PinnedBuffer<std::int64_t>(1);
  last_logits_ = PinnedBuffer<float>(s.vocab_size);
  if (limits.tapped) {
    const TapRing::Sizes sizes = tap_ring_sizes(spec, limits);
    region_bytes_ = tap_region_bytes(sizes);
    ring_ = std::make_unique<TapRing>(arena_.take<std::byte>(sizes.device_bytes), sizes);
  }
}

std::byte* CudaOps::take_numbers(std::int64_t n) {
  return arena_.take<std::byte>(bytes_of_numbers(n));
}

std::byte* CudaOps::cache_rows(std::byte* cache, std::int64_t layer, std::int64_t position) const {
  const ModelShape& s = spec_.shape;
  return cache + bytes_of_numbers((layer * s.n_kv_heads * cache_tokens_ + position) * s.head_dim);
}

void CudaOps::release_cache() {
  stream_.wait();
  cache_arena_.reset();
  keys_ = values_ = nullptr;
}

void CudaOps::upload(const void* from, std::int64_t bytes, void* to) {
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice,
                        stream_.get()),
        "copying to the GPU");
}

void CudaOps::download(const void* from, std::int64_t bytes, void* to) {
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost,
                        stream_.get()),
        "copying from the GPU");
}

Tensor CudaOps::load_weight(const WeightView& weight) {
  const DType dtype = weight.rows == 1 ? DType::f32 : limits_.dtype;
  auto* device = arena_.take<std::byte>(weight.rows * weight.cols * bytes_of(dtype));
  weights_.put(weight, dtype, device, stream_);
  return {weight.rows, weight.cols, dtype, device};
}

Tensor CudaOps::allocate(std::string_view, std::int64_t rows, std::int64_t cols,
                         ActivationUse use) {
  const DType dtype = use == ActivationUse::product_input ? limits_.dtype : DType::f32;
  return {rows, cols, dtype, arena_.take<std::byte>(rows * cols * bytes_of(dtype))};
}

Tensor CudaOps::rows(const Tensor& matrix, std::int64_t first, std::int64_t n_rows) const {
  return {n_rows, matrix.cols, matrix.dtype,
          static_cast<std::byte*>(matrix.handle) + first * matrix.cols * bytes_of(matrix.dtype)};
}

void CudaOps::begin(const BatchRows& run, bool tapped) {
  run_ = run;
  steady_ = run.n_rows == 1 && !tapped && limits_.dtype != DType::f32;
  capture_.reset();  // of a run that was given up
  playing_ = nullptr;
  fill_rope_angles(spec_.rope, run, angles_);
  const std::int64_t n = angles_.cos.size();
  // The last run has been waited for: nothing reads the pinned copies any more.
  std::copy_n(angles_.cos.data(), n, host_angles_.data());
  std::copy_n(angles_.sin.data(), n, host_angles_.data() + n);
  *host_position_.data() = run.first_position;
  if (steady_ && graphs_enabled()) {
    const auto known = graphs_.find({bucket_end(run), variant_});
    if (known != graphs_.end()) {
      playing_ = &known->second;
      return;
    }
    capture_.emplace(stream_);
  }
  const std::int64_t bytes = n * bytes_of(DType::f32);
  upload(host_angles_.data(), bytes, cos_);
  upload(host_angles_.data() + n, bytes, sin_);
  upload(host_position_.data(), sizeof(std::int64_t), position_);
}

void CudaOps::embed(const Tensor& table, std::span<const std::int32_t> ids, const Tensor& out) {
  std::copy(ids.begin(), ids.end(), host_ids_.data());
  if (playing_) return;
  upload(host_ids_.data(), static_cast<std::int64_t>(ids.size_bytes()), ids_);
  check(cuda::embed({.table = table.handle,
                     .ids = ids_,
                     .out = floats(out),
                     .n_rows = std::ssize(ids),
                     .n_cols = table.cols,
                     .dtype = table.dtype},
                    stream_.get()),
        "embed");
}

void CudaOps::norm(const Tensor& in, const Tensor& weight, std::int64_t n_rows, const Tensor& out) {
  if (playing_) return;
  check(rms_norm({.in = floats(in),
                  .weight = floats(weight),
                  .out = out.handle,
                  .n_rows = n_rows,
                  .n_cols = weight.cols,
                  .epsilon = static_cast<float>(spec_.norm_epsilon),
                  .dtype = out.dtype},
                 stream_.get()),
        "norm");
}

void CudaOps::multiply(const void* in, std::int64_t n_rows, const Projection& p) {
  products_.multiply({.in = in,
                      .weight = p.weight.handle,
                      .bias = floats(p.bias),
                      .out = floats(p.out),
                      .n_rows = n_rows,
                      .n = p.weight.rows,
                      .k = p.weight.cols,
                      .accumulate = p.accumulate,
                      .dtype = limits_.dtype},
                     stream_);
}

void CudaOps::linear(const Tensor& in, std::int64_t n_rows, std::span<const Projection> outputs) {
  if (playing_) return;
  for (const Projection& output : outputs) multiply(in.handle, n_rows, output);
}

void CudaOps::rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) {
  if (playing_) return;
  const std::int64_t row = steady_ ? 0 : rows.first_position;
  rotate_into(heads, rows,
              {.key = cache_rows(keys_, layer, row),
               .value = cache_rows(values_, layer, row),
               .stride = cache_tokens_,
               .row = steady_ ? position_ : nullptr});
}

void CudaOps::rotate_into(const HeadRows& heads, const BatchRows& rows, const HeadTarget& to) {
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
                             .dtype = limits_.dtype,
                             .query_heads = query_heads_ + bytes_of_numbers(first * s.head_dim),
                             .query_stride = run_.n_rows,
                             .key_cache = to.key,
                             .value_cache = to.value,
                             .cache_stride = to.stride,
                             .position = to.row},
                            stream_.get()),
        "rotate_append");
}

// Heads of some rows, each head_stride bytes behind the other, through the ring.
void CudaOps::tap_rows(TapBlock block, const std::byte* from, std::int64_t head_stride,
                       TapSink& taps) {
  const std::int64_t n_heads = block.n_heads;
  const auto head_bytes = static_cast<std::size_t>(bytes_of_numbers(block.n_rows * block.n_cols));
  const std::int64_t together =
      std::clamp<std::int64_t>(region_bytes_ / static_cast<std::int64_t>(head_bytes), 1, n_heads);
  for (std::int64_t head = 0; head < n_heads; head += together) {
    block.first_head = head;
    block.n_heads = std::min(together, n_heads - head);
    std::byte* region = ring_->take(TapRing::region_bytes(block));
    check(cudaMemcpy2DAsync(region, head_bytes, from + head * head_stride,
                            static_cast<std::size_t>(head_stride), head_bytes,
                            static_cast<std::size_t>(block.n_heads), cudaMemcpyDeviceToDevice,
                            stream_.get()),
          "copying what is tapped");
    ring_->put(taps, block, stream_);
  }
}

void CudaOps::tap_heads(std::int64_t layer, TapSink& taps) {
  const ModelShape& s = spec_.shape;
  const auto tap = [&](TapKind what, std::int64_t n_heads, const std::byte* from,
                       std::int64_t rows_apart) {
    if (!taps.wants(what, layer, run_.first_position, run_.n_rows)) return;
    tap_rows({.what = what,
              .layer = layer,
              .n_heads = n_heads,
              .first_row = run_.first_position,
              .n_rows = run_.n_rows,
              .n_cols = s.head_dim,
              .dtype = limits_.dtype},
             from, bytes_of_numbers(rows_apart * s.head_dim), taps);
  };
  tap(TapKind::query, s.n_heads, query_heads_, run_.n_rows);
  tap(TapKind::key, s.n_kv_heads, cache_rows(keys_, layer, run_.first_position), cache_tokens_);
  tap(TapKind::value, s.n_kv_heads, cache_rows(values_, layer, run_.first_position), cache_tokens_);
}

void CudaOps::attend(const HalfAttentionCall& call, const AttentionPart& part, float* scores) {
  if (limits_.dtype != DType::f32) {
    check(half_attention(call, part, scores, stream_.get()), "attention");
    return;
  }
  check(cuda::attention({.query = static_cast<const float*>(call.query),
                         .key = static_cast<const float*>(call.key),
                         .value = static_cast<const float*>(call.value),
                         .out = static_cast<float*>(call.out),
                         .query_stride = call.query_stride,
                         .cache_stride = call.cache_stride,
                         .n_heads = call.n_heads,
                         .n_kv_heads = call.n_kv_heads,
                         .head_dim = call.head_dim,
                         .first_position = call.first_position,
                         .n_rows = call.n_rows,
                         .window = call.window},
                        part, scores, stream_.get()),
        "attention");
}

// Rows of all heads with their scores or the statistics of these: as many heads together as a
// region holds, else as many rows of one. `block` has the rows.
void CudaOps::attend_tapped(const HalfAttentionCall& call, TapBlock block, TapSink& taps) {
  const std::int64_t n_heads = block.n_heads, first = block.first_row, n_rows = block.n_rows;
  const bool summed = block.what == TapKind::attention_stats;
  const auto room = [&](std::int64_t n, std::int64_t position, std::int64_t rows) {
    return summed ? stats_region_bytes(n, position, rows)
                  : n * bytes_of(DType::f32) * triangle_size(position, rows);
  };
  const std::int64_t together =
      std::clamp<std::int64_t>(region_bytes_ / room(1, first, n_rows), 0, n_heads);
  // The last row takes the most.
  const std::int64_t rows_together =
      together > 0 ? n_rows
                   : std::max<std::int64_t>(1, region_bytes_ / room(1, first + n_rows - 1, 1));
  const AttentionPart step{0, std::max<std::int64_t>(1, together), 0, rows_together};
  for (std::int64_t head = 0; head < n_heads; head += step.n_heads) {
    for (std::int64_t row = 0; row < n_rows; row += step.n_rows) {
      block.first_head = head;
      block.n_heads = std::min(step.n_heads, n_heads - head);
      block.first_row = first + row;
      block.n_rows = std::min(step.n_rows, n_rows - row);
      std::byte* region = ring_->take(room(block.n_heads, block.first_row, block.n_rows));
      if (summed) {
        block.n_cols = block.first_row + block.n_rows;
        attend_summed(call, block, region);
      } else {
        attend(call, part_of(call, block), reinterpret_cast<float*>(region));
      }
      ring_->put(taps, block, stream_);
    }
  }
}

// Rows whose scores stay on the GPU, in the region behind their statistics.
void CudaOps::attend_summed(const HalfAttentionCall& call, const TapBlock& block,
                            std::byte* region) {
  AttentionStatsCall stats{.stats = reinterpret_cast<float*>(region),
                           .n_heads = block.n_heads,
                           .first_position = block.first_row,
                           .n_rows = block.n_rows};
  std::byte* workspace = region + ByteRing::rounded(TapRing::region_bytes(block));
  std::byte* scores = workspace + ByteRing::rounded(4 * attention_stats_workspace(stats));
  stats.workspace = reinterpret_cast<float*>(workspace);
  stats.scores = reinterpret_cast<float*>(scores);
  attend(call, part_of(call, block), reinterpret_cast<float*>(scores));
  check(attention_stats(stats, stream_.get()), "attention_stats");
}

// Keys that a run's launches are sized for: steps of kBucket, within which a graph serves all.
std::int64_t CudaOps::bucket_end(const BatchRows& run) const {
  const std::int64_t n_keys = run.first_position + run.n_rows;
  return std::min((n_keys + kBucket - 1) / kBucket * kBucket, limits_.max_tokens);
}

HalfAttentionCall CudaOps::attention_call(std::int64_t layer, const BatchRows& run,
                                          const Tensor& out) {
  const ModelShape& s = spec_.shape;
  return {.query = query_heads_,
          .key = cache_rows(keys_, layer, 0),
          .value = cache_rows(values_, layer, 0),
          .out = out.handle,
          .workspace = attention_work_,
          .position = steady_ ? position_ : nullptr,
          .dtype = limits_.dtype,
          .query_stride = run.n_rows,
          .cache_stride = cache_tokens_,
          .n_heads = s.n_heads,
          .n_kv_heads = s.n_kv_heads,
          .head_dim = s.head_dim,
          .first_position = run.first_position,
          .n_rows = run.n_rows,
          .window = spec_.attention_window(layer),
          .max_keys = bucket_end(run)};
}

void CudaOps::attention(std::int64_t layer, const BatchRows& run, const Tensor& out,
                        TapSink* taps) {
  if (playing_) return;
  if (taps) tap_heads(layer, *taps);
  const ModelShape& s = spec_.shape;
  const HalfAttentionCall call = attention_call(layer, run, out);
  const auto wanted = [&](std::int64_t row) {
    return taps && taps->wants(TapKind::attention, layer, run.first_position + row,
                               std::min(kRowsAsked, run.n_rows - row));
  };
  for (std::int64_t row = 0, end = 0; row < run.n_rows; row = end) {
    const bool tapped = wanted(row);
    for (end = row; end < run.n_rows && wanted(end) == tapped;) {
      end = std::min(end + kRowsAsked, run.n_rows);
    }
    if (!tapped) {
      attend(call, {0, s.n_heads, row, end - row}, nullptr);
      continue;
    }
    // The statistics of a single row are no shorter than the row.
    const std::int64_t whole =
        run.n_rows == 1 ? row : std::clamp(taps->first_whole_row() - run.first_position, row, end);
    const auto tap = [&](TapKind what, std::int64_t from, std::int64_t to) {
      if (from == to) return;
      attend_tapped(call,
                    {.what = what,
                     .layer = layer,
                     .n_heads = s.n_heads,
                     .first_row = run.first_position + from,
                     .n_rows = to - from,
                     .n_cols = run.first_position + run.n_rows},
                    *taps);
    };
    tap(TapKind::attention_stats, row, whole);
    tap(TapKind::attention, whole, end);
  }
}

void CudaOps::replace_cache(std::int64_t layer, std::int64_t n_tokens,
                            const NdView<const float, 3>& key,
                            const NdView<const float, 3>& value) {
  const std::int64_t n = n_tokens * spec_.shape.head_dim;
  const std::int64_t apart = bytes_of_numbers(cache_tokens_ * spec_.shape.head_dim);
  std::vector<std::byte> stored(static_cast<std::size_t>(bytes_of_numbers(n)));
  const auto put = [&](const float* from, std::byte* to) {
    store_as({from, static_cast<std::size_t>(n)}, limits_.dtype, stored.data());
    upload(stored.data(), std::ssize(stored), to);
    stream_.wait();  // the numbers may go now
  };
  for (std::int64_t head = 0; head < key.shape(0); ++head) {
    put(key.sub(head).data(), cache_rows(keys_, layer, 0) + head * apart);
    put(value.sub(head).data(), cache_rows(values_, layer, 0) + head * apart);
  }
}

Tensor CudaOps::activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) {
  const Tensor out = activated_ ? Tensor{n_rows, gate.cols, limits_.dtype, activated_} : gate;
  if (playing_) return out;
  check(silu_times({.gate = floats(gate),
                    .up = floats(up),
                    .out = out.handle,
                    .n = n_rows * gate.cols,
                    .dtype = out.dtype},
                   stream_.get()),
        "activate");
  return out;
}

void CudaOps::logits(const BatchRows& rows, const Tensor& in, const Tensor& head, TapSink* taps) {
  if (playing_) return;
  const ModelShape& s = spec_.shape;
  const auto multiply_rows = [&](std::int64_t first, std::int64_t n, float* to) {
    multiply(this->rows(in, first, n).handle, n,
             {.weight = head, .bias = {}, .out = {n, s.vocab_size, DType::f32, to}});
  };
  const std::int64_t row_bytes = s.vocab_size * bytes_of(DType::f32);
  if (!taps || !taps->wants(TapKind::logits, s.n_layers, rows.first_position, rows.n_rows)) {
    multiply_rows(rows.n_rows - 1, 1, logits_);
    download(logits_, row_bytes, last_logits_.data());
    return;
  }
  const std::int64_t k = std::min(taps->top_logits(), s.vocab_size);
  const bool whole = k < 1 || k > kMostTopLogits;
  const std::int64_t together =
      std::min({logits_block_rows(s), rows.n_rows, region_bytes_ / row_bytes});
  for (std::int64_t row = 0; row < rows.n_rows; row += together) {
    TapBlock block{.what = whole ? TapKind::logits : TapKind::logits_top,
                   .layer = s.n_layers,
                   .n_heads = 1,
                   .first_row = rows.first_position + row,
                   .n_rows = std::min(together, rows.n_rows - row),
                   .n_cols = whole ? s.vocab_size : 3 + 2 * k};
    auto* region = reinterpret_cast<float*>(ring_->take(TapRing::region_bytes(block)));
    float* logits = whole ? region : logits_;
    multiply_rows(row, block.n_rows, logits);
    download(logits + (block.n_rows - 1) * s.vocab_size, row_bytes, last_logits_.data());
    if (!whole) summarize(logits, block, k, region);
    ring_->put(*taps, block, stream_);
  }
}

// What a capture keeps of rows of logits, one row behind the other.
void CudaOps::summarize(const float* logits, const TapBlock& block, std::int64_t k, float* to) {
  auto* ids = reinterpret_cast<std::int32_t*>(to);
  check(logits_top({.logits = logits,
                    .argmax = ids,
                    .argmax_logit = to + 1,
                    .logsumexp = to + 2,
                    .topk_ids = ids + 3,
                    .topk_logits = to + 3 + k,
                    .row_stride = block.n_cols,
                    .n_rows = block.n_rows,
                    .vocab_size = spec_.shape.vocab_size,
                    .k = k},
                   stream_.get()),
        "logits_top");
}

void CudaOps::launch() {
  if (capture_) {
    const std::pair key(bucket_end(run_), variant_);
    playing_ = &graphs_.emplace(key, capture_->finish()).first->second;
    capture_.reset();
  }
  if (playing_) playing_->launch(stream_);
  playing_ = nullptr;
}

void CudaOps::sync() {
  weights_.finish(stream_);
  launch();
  stream_.wait();
  if (ring_) ring_->drain();
}

void CudaOps::cancel() {
  capture_.reset();
  if (ring_) ring_->drop();
}

std::span<const float> CudaOps::last_logits() const {
  return {last_logits_.data(), static_cast<std::size_t>(last_logits_.size())};
}

}  // namespace qaq::cuda
