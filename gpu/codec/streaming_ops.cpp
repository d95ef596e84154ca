#include "gpu/codec/streaming_ops.h"

#include <algorithm>
#include <cstring>
#include <cuda_runtime_api.h>

#include "core/policy/qaq_policy.h"
#include "gpu/cuda/kernels/key_scores.h"
#include "gpu/cuda/kernels/rotate_append.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/cuda/kernels/value_mix.h"
#include "gpu/device/error.h"
#include "gpu/engine/device_plan.h"

namespace qaq::cuda {
namespace {

// Rows of a prompt whose scores are made at a time, where importance follows all of them.
constexpr std::int64_t kRowsTogether = 64;

// Layers are quantized in so many groups. What is not hidden is the last group's, an eighth of all
// that goes over the link, and of that as much as outlasts the last layer's products and the
// logits. More groups are more launches. A group's launches need not fill the GPU: the model's run
// beside them, and the link is busy with few bytes under way.
constexpr std::int64_t kGroups = 8;

std::int64_t stride_of(std::int64_t max_tokens) { return (max_tokens + 3) / 4 * 4; }

// Rows of scores of a prompt that importance needs at most.
std::int64_t rows_needed(const StreamingSetup& setup, std::int64_t n_prompt) {
  std::int64_t n = 0;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto importance = QaqPolicy(setup.params).needs(side).importance;
    if (importance) n = std::max(n, importance->n_rows);
  }
  const bool window = setup.streaming.importance == ImportanceRule::window_max;
  return std::min(n > 0 && !window ? n_prompt : n, n_prompt);
}

ValueMixCall mix_sizes(const StreamingSetup& setup, std::int32_t max_pages) {
  ValueMixCall call;
  call.cache.n_kv_heads = static_cast<std::int32_t>(setup.shape.n_kv_heads);
  call.cache.n_lists = static_cast<std::int32_t>(setup.n_lists());
  call.cache.head_dim = static_cast<std::int32_t>(setup.shape.head_dim);
  call.n_heads = setup.shape.n_heads;
  call.max_pages = max_pages;
  return call;
}

// What it takes of the arena beside both sides, in the order in which it is taken.
template <class Take>
void take_arrays(const EngineLimits& limits, const StreamingSetup& setup, Take take) {
  const ModelShape& s = setup.shape;
  take(4 * s.n_layers * s.n_heads * stride_of(setup.max_tokens));
  const std::int64_t rows = std::min(rows_needed(setup, limits.max_batch), kRowsTogether);
  take(4 * s.n_heads * triangle_size(limits.max_batch - rows, rows));
  take(4 * value_mix_workspace(mix_sizes(
               setup, static_cast<std::int32_t>(pages_needed(setup.max_tokens, kWidths)))));
  take(static_cast<std::int64_t>(sizeof(DecodeStep)));
}

std::int64_t total_of(const MemoryPlan& plan) {
  std::int64_t sum = 0;
  for (const MemoryItem& item : plan.items) sum += Arena::rounded(item.bytes);
  return sum;
}

// Beside the engine and the prompt's cache.
MemoryPlan streaming_memory(const EngineLimits& limits, const StreamingSetup& setup) {
  MemoryPlan out;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    for (const MemoryItem& item : StreamedSide::memory(setup, side).items) {
      out.items.push_back(item);
    }
  }
  std::int64_t scores = 0;
  take_arrays(limits, setup, [&](std::int64_t bytes) { scores += Arena::rounded(bytes); });
  out.items.push_back({"scores", scores});
  return out;
}

}  // namespace

MemoryPlan StreamingOps::memory(const ModelSpec& spec, const EngineLimits& limits,
                                const StreamingSetup& setup) {
  MemoryPlan out = plan_engine_memory(spec, limits);
  out.items.push_back({"prompt", cache_bytes(spec, limits.dtype, limits.max_batch)});
  for (const MemoryItem& item : streaming_memory(limits, setup).items) out.items.push_back(item);
  return out;
}

StreamingOps::StreamingOps(const ModelSpec& spec, const EngineLimits& limits,
                           const StreamingSetup& setup, std::shared_ptr<CublasLt> library)
    : CudaOps(spec, limits, std::move(library), limits.max_batch,
              total_of(streaming_memory(limits, setup))),
      setup_(setup),
      key_(setup, CacheSide::key, arena_, stream_),
      value_(setup, CacheSide::value, arena_, stream_),
      score_stride_(stride_of(setup.max_tokens)),
      host_step_(sizeof(DecodeStep)),
      layers_together_((spec.shape.n_layers + kGroups - 1) / kGroups),
      spans_(static_cast<std::size_t>((spec.shape.n_layers + layers_together_ - 1) /
                                      layers_together_)) {
  std::vector<std::byte*> arrays;
  take_arrays(limits, setup,
              [&](std::int64_t bytes) { arrays.push_back(arena_.take<std::byte>(bytes)); });
  scores_ = reinterpret_cast<float*>(arrays[0]);
  prompt_scores_ = reinterpret_cast<float*>(arrays[1]);
  mix_work_ = reinterpret_cast<float*>(arrays[2]);
  step_ = reinterpret_cast<DecodeStep*>(arrays[3]);
}

void StreamingOps::begin(const BatchRows& run, bool) {
  if (in_prompt()) {
    prompt_ = run.first_position + run.n_rows;
    first_row_ = prompt_ - rows_needed(setup_, prompt_);
    CudaOps::begin(run, /*tapped=*/true);  // not to be played again
    return;
  }
  const std::int64_t n_tokens = run.first_position + 1;
  planned_ = (n_tokens - prompt_) % setup_.params.plan_stride == 0;
  variant_ = planned_ ? 1 : 0;
  CudaOps::begin(run, /*tapped=*/false);
  key_.set_rule(n_tokens, n_planned_);
  value_.set_rule(n_tokens, n_planned_);
  const auto count = [](std::int64_t n) { return static_cast<std::int32_t>(n); };
  const DecodeStep step{.attend = {count(n_tokens), count(n_planned_)},
                        .plan = {count(n_tokens), count(n_tokens)},
                        .importance = {run.first_position, first_row_},
                        .tail_row = run.first_position - n_planned_,
                        .first_fresh = n_planned_};
  std::memcpy(host_step_.data(), &step, sizeof step);
  if (!playing_) upload(host_step_.data(), sizeof step, step_);
}

void StreamingOps::rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) {
  if (in_prompt()) {
    CudaOps::rotate_append(layer, rows, heads);
    return;
  }
  if (playing_) return;
  rotate_into(heads, rows,
              {.key = key_.tail(layer),
               .value = value_.tail(layer),
               .stride = key_.tail_stride(),
               .row = &step_->tail_row});
}

void StreamingOps::attention(std::int64_t layer, const BatchRows& run, const Tensor& out,
                             TapSink*) {
  if (in_prompt()) {
    attend_prompt(layer, run, out);
  } else if (!playing_) {
    attend_pages(layer, out);
    const std::int64_t n = layer % layers_together_ + 1;
    if (n == layers_together_ || layer + 1 == spec_.shape.n_layers) quantize({layer + 1 - n, n});
  }
}

// The last rows with their scores, which importance follows from; keys and values to the host.
void StreamingOps::attend_prompt(std::int64_t layer, const BatchRows& run, const Tensor& out) {
  const ModelShape& s = spec_.shape;
  attended_.record(stream_);
  attended_.hold(fetch_);
  for (const CacheSide which : {CacheSide::key, CacheSide::value}) {
    side(which).copy_to_host(
        {.from = cache_rows(which == CacheSide::key ? keys_ : values_, layer, 0),
         .stride = cache_tokens_,
         .layer = layer,
         .first = run.first_position,
         .n = run.n_rows},
        fetch_);
  }
  const HalfAttentionCall call = attention_call(layer, run, out);
  const std::int64_t first = first_row_;
  attend(call, {0, s.n_heads, 0, first}, nullptr);
  for (std::int64_t row = first; row < run.n_rows; row += kRowsTogether) {
    const std::int64_t n = std::min(kRowsTogether, run.n_rows - row);
    attend(call, {0, s.n_heads, row, n}, prompt_scores_);
    const StreamedSide::PromptRows rows{layer, prompt_scores_, row, n, first};
    key_.take_prompt_rows(rows, stream_);
    value_.take_prompt_rows(rows, stream_);
  }
}

void StreamingOps::attend_pages(std::int64_t layer, const Tensor& out) {
  const ModelShape& s = spec_.shape;
  const std::int64_t bucket = bucket_end(run_);
  float* scores = scores_ + layer * s.n_heads * score_stride_;
  const KeyScoresCall call{.cache = key_.pages(),
                           .first_list = layer * s.n_kv_heads,
                           .query = query_heads_,
                           .query_dtype = limits_.dtype,
                           .tail = key_.tail(0),
                           .tail_stride = key_.tail_stride(),
                           .lengths = &step_->attend,
                           .scores = scores,
                           .score_stride = score_stride_,
                           .n_heads = s.n_heads,
                           .window = spec_.attention_window(layer),
                           .max_pages = key_.max_pages(bucket)};
  check(key_scores(call, stream_.get()), "key_scores");
  check(softmax_scores(call, stream_.get()), "softmax_scores");
  const bool exact = limits_.dtype == DType::f32;
  check(value_mix({.cache = value_.pages(),
                   .first_list = layer * s.n_kv_heads,
                   .probability = scores,
                   .score_stride = score_stride_,
                   .tail = value_.tail(0),
                   .tail_stride = value_.tail_stride(),
                   .lengths = &step_->attend,
                   .workspace = mix_work_,
                   .out = exact ? static_cast<float*>(out.handle) : nullptr,
                   .rounded_out = exact ? nullptr : out.handle,
                   .rounded_dtype = limits_.dtype,
                   .n_heads = s.n_heads,
                   .max_pages = value_.max_pages(bucket)},
                  stream_.get()),
        "value_mix");
}

void StreamingOps::sync() {
  weights_.finish(stream_);
  if (run_.n_rows == 0) {
    stream_.wait();
  } else if (in_prompt()) {
    end_prompt();
  } else {
    end_step();
  }
}

void StreamingOps::end_prompt() {
  done_.stamp(stream_);
  const auto count = static_cast<std::int32_t>(prompt_);
  DecodeStep step;
  step.plan = {count, count};
  std::memcpy(host_step_.data(), &step, sizeof step);
  upload(host_step_.data(), sizeof step, step_);
  for (StreamedSide* each : {&key_, &value_}) {
    each->set_rule(prompt_, 0);
    each->quantize_prompt(each == &key_ ? keys_ : values_, cache_tokens_, prompt_, step_, stream_);
  }
  joined_.stamp(stream_);
  fetch_.wait();
  release_cache();
  quantizing_seconds_ = exposed_seconds_ = done_.seconds_until(joined_);
  n_planned_ = prompt_;
  key_counts_ = key_.followed(0, cache_tokens_);
  value_counts_ = value_.followed(0, cache_tokens_);
}

// What follows the attention of a group's last layer: importance, and where a plan is due the plan.
void StreamingOps::quantize(const LayerRange& layers) {
  const std::int64_t n_layers = spec_.shape.n_layers;
  attended_.record(stream_);
  attended_.hold(fetch_);
  const Span& span = spans_[static_cast<std::size_t>(layers.first / layers_together_)];
  span.first.stamp(fetch_);
  for (StreamedSide* each : {&key_, &value_}) {
    StepCall call{step_, bucket_end(run_), layers};
    if (each->units_span_layers()) {
      if (layers.first + layers.n < n_layers) continue;
      call.layers = {0, n_layers};
    }
    each->take_step_rows(scores_, score_stride_, call, fetch_);
    if (planned_) each->quantize_tail(call, fetch_);
  }
  span.last.stamp(fetch_);
}

// The next step attends to what this one packs.
void StreamingOps::join() {
  done_.stamp(stream_);
  packed_.record(fetch_);
  packed_.hold(stream_);
  joined_.stamp(stream_);
}

void StreamingOps::end_step() {
  if (!playing_) join();
  launch();
  stream_.wait();
  quantizing_seconds_ = 0;
  for (const Span& span : spans_) quantizing_seconds_ += span.first.seconds_until(span.last);
  exposed_seconds_ = done_.seconds_until(joined_);
  if (!planned_) return;
  key_counts_ = key_.followed(n_planned_, key_.tail_stride());
  value_counts_ = value_.followed(n_planned_, value_.tail_stride());
  n_planned_ = run_.first_position + 1;
}

}  // namespace qaq::cuda
