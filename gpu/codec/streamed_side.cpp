#include "gpu/codec/streamed_side.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <cuda_runtime_api.h>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/bit_rule.h"
#include "core/policy/qaq_policy.h"
#include "gpu/cuda/kernels/unit_stats.h"
#include "gpu/device/error.h"

namespace qaq::cuda {
namespace {

const QaqSideParams& params_of(const StreamingSetup& setup, CacheSide side) {
  return side == CacheSide::key ? setup.params.key : setup.params.value;
}

[[noreturn]] void refuse(CacheSide side, const std::string& what, const std::string& cure) {
  refuse_usage({.place = cat("--device cuda, ", side == CacheSide::key ? "key." : "value.", what),
                .what = "is planned on the CPU alone",
                .cure = cat(cure, ", or run with --device cpu")});
}

PolicyNeeds checked_needs(const StreamingSetup& setup, CacheSide side) {
  const QaqSideParams& params = params_of(setup, side);
  const PolicyNeeds needs = QaqPolicy(setup.params).needs(side);
  if (needs.quantizer.level == Level::no_quantization) {
    refuse(side, "level=no-quantization", "leave out --policy");
  }
  if (needs.quantizer.method == Method::normal) refuse(side, "method=normal", "set it to uniform");
  if (needs.quantizer.outlier_rule == OutlierRule::nsigma) {
    refuse(side, "outlier_rule=nsigma", "set it to quantile");
  }
  if (needs.errors || params.bits_rule == BitsRule::measured) {
    refuse(side, "bits_rule=measured", "set it to formula");
  }
  if (params.sensitivity == Sensitivity::ema) {
    refuse(side, "sensitivity=ema", "set it to window");
  }
  if (params.window_rule == WindowRule::adaptive) {
    refuse(side, "window_rule=adaptive", "set it to fixed");
  }
  if (needs.q_norm) refuse(side, "q_norm=auto", "give a number");
  if (needs.distances) refuse(side, "bound_target=output", "set it to row or entry");
  const StreamingParams& streaming = setup.streaming;
  const auto refuse_all = [](const char* name, const char* cure) {
    refuse_usage({.place = cat("--device cuda, ", name),
                  .what = "is followed on the CPU alone",
                  .cure = cat(cure, ", or run with --device cpu")});
  };
  if (setup.params.head_stride > 1) refuse_all("head_stride", "set it to 1");
  if (setup.params.block_size > 1) refuse_all("block_size", "set it to 1");
  if (setup.params.sparse_top_k > 0) refuse_all("sparse_top_k", "set it to 0");
  if (streaming.requantize_history) refuse_all("requantize_history", "set it to off");
  if (streaming.refetch_equal) refuse_all("refetch_equal", "set it to off");
  if (streaming.fetch_granularity == FetchGranularity::layer) {
    refuse_all("fetch_granularity=layer", "set it to unit");
  }
  return needs;
}

MixedCacheLimits cache_limits(const StreamingSetup& setup, CacheSide side) {
  const QaqSideParams& params = params_of(setup, side);
  const bool fixed = !params.use_attentions;
  return {.side = side == CacheSide::key ? Side::key : Side::value,
          .shape = setup.cache_shape(),
          .quantizer = checked_needs(setup, side).quantizer,
          .dtype = setup.dtype,
          .n_bits_min = fixed ? params.n_bits_uniform : params.n_bits_min,
          .n_bits_max = fixed ? params.n_bits_uniform : params.n_bits_max};
}

std::int64_t n_widths(const MixedCacheLimits& limits) {
  return limits.n_bits_max - limits.n_bits_min + 1;
}

constexpr std::int64_t kNoneBad = std::numeric_limits<std::int64_t>::max();

HeadReduce head_reduce(GqaReduce reduce) { return static_cast<HeadReduce>(reduce); }
static_assert(static_cast<int>(GqaReduce::max) == static_cast<int>(HeadReduce::max) &&
              static_cast<int>(GqaReduce::mean) == static_cast<int>(HeadReduce::mean) &&
              static_cast<int>(GqaReduce::sum) == static_cast<int>(HeadReduce::sum));
static_assert(static_cast<int>(ImportanceRule::ema) == static_cast<int>(ImportanceKind::ema) &&
              static_cast<int>(ImportanceRule::accumulated) ==
                  static_cast<int>(ImportanceKind::accumulated));

// What a side takes of the arena beside its pages, in the order in which it is taken.
template <class Take>
void take_arrays(const StreamingSetup& setup, const PolicyNeeds& needs, Take take) {
  const std::int64_t rows = setup.n_lists() * setup.max_tokens;
  const std::int64_t units = UnitLayout(needs.quantizer.level, setup.cache_shape()).n_units();
  const bool window = setup.streaming.importance == ImportanceRule::window_max;
  const bool importance = needs.importance.has_value();
  take("tail",
       setup.n_lists() * setup.params.plan_stride * setup.shape.head_dim * bytes_of(setup.dtype));
  take("stats", units * static_cast<std::int64_t>(sizeof(UnitStats)));
  take("bits", units);
  take("changes", units);
  take("below", setup.streaming.demote_patience > 1 ? 4 * units : 0);
  take("importance", importance ? 4 * rows : 0);
  take("ring", importance && window ? 4 * rows * needs.importance->n_rows : 0);
  take("state", importance && !window ? 8 * rows : 0);
  take("step", static_cast<std::int64_t>(sizeof(PlanStep)));
  take("report", static_cast<std::int64_t>(sizeof(SideReport)));
}

template <class T>
std::vector<T> downloaded(const T* from, std::int64_t n, const Stream& stream) {
  std::vector<T> out(static_cast<std::size_t>(n));
  if (n > 0) {
    check(cudaMemcpyAsync(out.data(), from, out.size() * sizeof(T), cudaMemcpyDeviceToHost,
                          stream.get()),
          "reading the cache's plan");
  }
  stream.wait();
  return out;
}

}  // namespace

MemoryPlan StreamedSide::memory(const StreamingSetup& setup, CacheSide side) {
  const std::string name = side == CacheSide::key ? "keys" : "values";
  MemoryPlan out;
  std::int64_t planning = 0;
  take_arrays(setup, checked_needs(setup, side),
              [&](const char*, std::int64_t bytes) { planning += Arena::rounded(bytes); });
  out.items.push_back(
      {cat("pages of ", name), plan_mixed_cache(cache_limits(setup, side)).total()});
  out.items.push_back({cat("plans of ", name), planning});
  return out;
}

StreamedSide::StreamedSide(const StreamingSetup& setup, CacheSide side, Arena& arena,
                           const Stream& stream)
    : setup_(setup),
      side_(side),
      needs_(checked_needs(setup, side)),
      layout_(needs_.quantizer.level, setup.cache_shape()),
      n_widths_(n_widths(cache_limits(setup, side))),
      pages_(cache_limits(setup, side), arena, stream),
      exact_(setup.n_lists() * setup.max_tokens * setup.shape.head_dim * bytes_of(setup.dtype)),
      host_step_(sizeof(PlanStep)),
      host_report_(sizeof(SideReport)),
      host_problems_(1) {
  std::vector<std::byte*> arrays;
  take_arrays(setup, needs_, [&](const char*, std::int64_t bytes) {
    arrays.push_back(bytes > 0 ? arena.take<std::byte>(bytes) : nullptr);
  });
  std::size_t next = 0;
  const auto take = [&]<class T>(T*& array) { array = reinterpret_cast<T*>(arrays[next++]); };
  take(tail_);
  take(stats_);
  take(n_bits_);
  take(changes_);
  take(n_below_);
  take(importance_);
  take(ring_);
  take(state_);
  take(step_);
  take(report_);
  const SideReport none{.first_bad = kNoneBad};
  std::memcpy(host_report_.data(), &none, sizeof none);
  check(cudaMemcpyAsync(report_, host_report_.data(), sizeof none, cudaMemcpyHostToDevice,
                        stream.get()),
        "clearing a report");
  stream.wait();
}

ImportanceCall StreamedSide::importance_call(const LayerRange& layers) const {
  const ImportanceOptions options = needs_.importance.value_or(ImportanceOptions{});
  const std::int64_t n_ring = options.n_rows;
  const std::int64_t before = layers.first * setup_.shape.n_kv_heads * setup_.max_tokens;
  return {.importance = importance_ + before,
          .ring = ring_ ? ring_ + before * n_ring : nullptr,
          .state = state_ ? state_ + before : nullptr,
          .stride = setup_.max_tokens,
          .n_layers = layers.n,
          .n_heads = setup_.shape.n_heads,
          .n_kv_heads = setup_.shape.n_kv_heads,
          .n_rows = 1,
          .reduce = head_reduce(options.reduce),
          .kind = static_cast<ImportanceKind>(setup_.streaming.importance),
          .beta = options.beta,
          .n_ring = n_ring,
          .max_tokens = setup_.max_tokens};
}

void StreamedSide::take_prompt_rows(const PromptRows& rows, const Stream& stream) {
  if (!needs_rows()) return;
  ImportanceCall call = importance_call({rows.layer, 1});
  call.scores = rows.scores;
  call.n_rows = rows.n_rows;
  call.step = {rows.position, rows.first_row};
  call.max_tokens = rows.position + rows.n_rows;
  check(cuda::importance(call, stream.get()), "importance");
}

void StreamedSide::take_step_rows(const float* scores, std::int64_t stride, const StepCall& call,
                                  const Stream& stream) {
  if (!needs_rows()) return;
  ImportanceCall rows = importance_call(call.layers);
  rows.score_stride = setup_.shape.n_heads * stride;
  rows.scores = scores + call.layers.first * rows.score_stride;
  rows.head_stride = stride;
  rows.step_on_device = &call.step->importance;
  rows.max_tokens = call.max_tokens;
  check(cuda::importance(rows, stream.get()), "importance");
}

void StreamedSide::set_rule(std::int64_t n_tokens, std::int64_t n_held) {
  CacheShape shape = setup_.cache_shape();
  shape.n_tokens = n_tokens;
  const PlanStep step{bit_rule(params_of(setup_, side_), side_, shape), n_tokens, n_held};
  std::memcpy(host_step_.data(), &step, sizeof step);
}

void StreamedSide::plan(const StepCall& call, const Stream& stream) {
  const QaqSideParams& params = params_of(setup_, side_);
  if (call.layers.first == 0) {
    check(cudaMemcpyAsync(step_, host_step_.data(), sizeof(PlanStep), cudaMemcpyHostToDevice,
                          stream.get()),
          "copying a rule");
  }
  check(plan_bits({.step = step_,
                   .stats = stats_,
                   .importance = importance_,
                   .fixed_q_norm = static_cast<float>(params.q_norm.number.value_or(1)),
                   .symmetric = needs_.quantizer.symmetric,
                   .n_layers = setup_.shape.n_layers,
                   .n_kv_heads = setup_.shape.n_kv_heads,
                   .stride = setup_.max_tokens,
                   .units_per_token = layout_.units_per_token(),
                   .first_unit = units_of(call.layers.first),
                   .n_units = units_of(call.layers.n),
                   .max_tokens = call.max_tokens,
                   .n_bits = n_bits_,
                   .changes = changes_,
                   .n_below = n_below_,
                   .counts = &report_->counts,
                   .promote_hysteresis = setup_.streaming.promote_hysteresis,
                   .demote_patience = setup_.streaming.demote_patience},
                  stream.get()),
        "plan_bits");
}

void StreamedSide::quantize(const Fresh& fresh, const StepCall& call, const Stream& stream) {
  const bool last = call.layers.first + call.layers.n == setup_.shape.n_layers;
  assert(!units_span_layers() || (call.layers.first == 0 && last));
  check(unit_stats({.values = fresh.rows,
                    .dtype = setup_.dtype,
                    .stats = stats_,
                    .first_bad = &report_->first_bad,
                    .n_layers = setup_.shape.n_layers,
                    .n_kv_heads = setup_.shape.n_kv_heads,
                    .cache_stride = fresh.stride,
                    .head_dim = setup_.shape.head_dim,
                    .units_per_token = layout_.units_per_token(),
                    .first_unit = units_of(call.layers.first),
                    .n_units = units_of(call.layers.n),
                    .n_tokens = fresh.n_tokens,
                    .position = fresh.first,
                    .rows_from_first = true,
                    .outliers_ratio = needs_.quantizer.outliers_ratio},
                   stream.get()),
        "unit_stats");
  plan(call, stream);
  const auto lists = [&](std::int64_t n_layers) {
    return static_cast<std::int32_t>(n_layers * setup_.shape.n_kv_heads);
  };
  pages_.follow({.n_bits = n_bits_,
                 .stats = stats_,
                 .lengths = &call.step->plan,
                 .fresh = {.rows = fresh.rows, .list_stride = fresh.stride},
                 .exact = {.rows = exact_.data(), .list_stride = setup_.max_tokens},
                 .keep = fresh.on_host ? nullptr : exact_.data(),
                 .demote_from_exact = setup_.streaming.demote_from == DemoteFrom::cpu,
                 .first_list = lists(call.layers.first),
                 .n_lists = lists(call.layers.n)},
                stream);
  if (!last) return;
  const auto tell = [&](const void* from, std::size_t n, void* to) {
    check(cudaMemcpyAsync(to, from, n, cudaMemcpyDeviceToHost, stream.get()), "copying a report");
  };
  tell(report_, sizeof(SideReport), host_report_.data());
  tell(pages_.pages().problems, sizeof(std::int32_t), host_problems_.data());
}

void StreamedSide::quantize_prompt(const std::byte* cache, std::int64_t stride,
                                   std::int64_t n_tokens, const DecodeStep* step,
                                   const Stream& stream) {
  quantize({cache, stride, n_tokens, nullptr, true}, {step, n_tokens, all_layers()}, stream);
}

void StreamedSide::quantize_tail(const StepCall& call, const Stream& stream) {
  quantize({tail_, tail_stride(), tail_stride(), &call.step->first_fresh}, call, stream);
}

const PlanCounts& StreamedSide::followed(std::int64_t first_token, std::int64_t stride) const {
  const auto& report = *reinterpret_cast<const SideReport*>(host_report_.data());
  if (report.first_bad == kNoneBad) {
    MixedCache::check_problems(*host_problems_.data());
    return report.counts;
  }
  // A row with such a number is all outliers, so what else went wrong follows from it.
  const std::int64_t row = report.first_bad / setup_.shape.head_dim, list = row / stride;
  throw Error(
      ErrorKind::input,
      {.place = cat("layer ", list / setup_.shape.n_kv_heads, ", ",
                    side_ == CacheSide::key ? "key" : "value", " of head ",
                    list % setup_.shape.n_kv_heads, ", token ", first_token + row % stride,
                    ", channel ", report.first_bad % setup_.shape.head_dim),
       .what = cat("the model gave NaN, infinity or what ", name_of(setup_.dtype), " cannot hold"),
       .cure =
           setup_.dtype == DType::f16 ? "run with --dtype bf16 or f32" : "check the model file"});
}

std::byte* StreamedSide::tail(std::int64_t layer) const {
  return tail_ + layer * setup_.shape.n_kv_heads * tail_stride() * setup_.shape.head_dim *
                     bytes_of(setup_.dtype);
}

void StreamedSide::copy_to_host(const HostRows& rows, const Stream& stream) const {
  const std::int64_t row = setup_.shape.head_dim * bytes_of(setup_.dtype);
  const std::int64_t list = rows.layer * setup_.shape.n_kv_heads;
  check(cudaMemcpy2DAsync(exact_.data() + (list * setup_.max_tokens + rows.first) * row,
                          static_cast<std::size_t>(setup_.max_tokens * row), rows.from,
                          static_cast<std::size_t>(rows.stride * row),
                          static_cast<std::size_t>(rows.n * row),
                          static_cast<std::size_t>(setup_.shape.n_kv_heads), cudaMemcpyDeviceToHost,
                          stream.get()),
        "copying rows to the host");
}

std::int32_t StreamedSide::max_pages(std::int64_t n_tokens) const {
  const std::int64_t needed = pages_needed(n_tokens, n_widths_);
  return static_cast<std::int32_t>(std::min<std::int64_t>(pages_.pages().max_pages, needed));
}

Plan StreamedSide::held(std::int64_t n_tokens, const Stream& stream) const {
  CacheShape shape = setup_.cache_shape();
  shape.n_tokens = n_tokens;
  Plan out;
  out.quantizer = needs_.quantizer;
  out.layout = UnitLayout(needs_.quantizer.level, shape);
  out.n_bits = downloaded(n_bits_, out.layout.n_units(), stream);
  const QaqSideParams& params = params_of(setup_, side_);
  out.n_bits_vary = params.use_attentions && params.n_bits_min < params.n_bits_max;
  return out;
}

std::vector<UnitStats> StreamedSide::stats(std::int64_t n_tokens, const Stream& stream) const {
  return downloaded(stats_, n_tokens * layout_.units_per_token(), stream);
}

}  // namespace qaq::cuda
