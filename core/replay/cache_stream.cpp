#include "core/replay/cache_stream.h"

#include <numeric>
#include <utility>

#include "core/policy/policies.h"
#include "core/replay/replay_sizes.h"

namespace qaq {
namespace {

bool has_units(const CachePolicy& policy) {
  return policy.needs(CacheSide::key).quantizer.level != Level::no_quantization ||
         policy.needs(CacheSide::value).quantizer.level != Level::no_quantization;
}

}  // namespace

CacheStream::Side::Side(const Source& source, CacheSide side)
    : planner({source.policy, side, source.layers, source.params, source.name}),
      cache(StreamedCache::empty(source.layers.of(side), planner.stats(), source.layers.shape,
                                 source.params)) {}

CacheStream::CacheStream(const Source& source)
    : shape_(source.layers.shape),
      params_(source.params),
      plan_stride_(source.policy.needs(CacheSide::key).plan_stride),
      has_host_copy_(is_qaq(source.policy) || has_units(source.policy)),
      key_(source, CacheSide::key),
      value_(source, CacheSide::value) {}

void CacheStream::keep(KeptPrompt prompt) {
  n_prompt_ = prompt.kept.shape(2);
  retention_.emplace(std::move(prompt), shape_.n_tokens);
}

void CacheStream::append(std::int64_t n_tokens) {
  for (Side* side : {&key_, &value_}) {
    side->planner.append(n_there_, n_tokens);
    side->cache.append(n_there_, n_tokens);
  }
  n_there_ = n_tokens;
}

void CacheStream::push(std::int64_t layer, std::int64_t position,
                       const NdView<const float, 3>& row) {
  key_.planner.push(layer, position, row);
  value_.planner.push(layer, position, row);
  if (retention_ && position >= n_prompt_) retention_->push(layer, position, row);
}

bool CacheStream::follow(std::int64_t prefill, std::span<const NdArray<float, 3>> rows,
                         StreamingStep& step) {
  const std::int64_t n_tokens = step.token + 1;
  const bool planned = (n_tokens - prefill) % plan_stride_ == 0;
  if (retention_) kept_ = retention_->kept(n_tokens);
  if (planned) {
    step.key = key_.cache.follow(key_.planner.plan(n_tokens, rows, kept_));
    step.value = value_.cache.follow(value_.planner.plan(n_tokens, rows, kept_));
  }
  account(n_tokens == prefill ? prefill : 1, step);
  return planned;
}

void CacheStream::account(std::int64_t n_new, StreamingStep& step) const {
  const std::int64_t n_tokens = step.token + 1;
  if (has_host_copy_) {
    step.d2h = {key_.cache.transfers_per_token() + value_.cache.transfers_per_token(),
                n_new * token_bytes(shape_)};
    step.host_bytes = n_tokens * token_bytes(shape_);
  }
  step.h2d = step.key.h2d;
  step.h2d += step.value.h2d;
  step.resident_bytes = key_.cache.resident_bytes(n_tokens) + value_.cache.resident_bytes(n_tokens);
  step.full_bytes = n_tokens * token_bytes(shape_);
  if (kept_) {
    const std::int64_t n_rows =
        std::accumulate(kept_->span().begin(), kept_->span().end(), std::int64_t{0});
    step.resident_bytes += kPositionBytes * n_rows;
    step.kept_share = static_cast<double>(n_rows) / static_cast<double>(kept_->size());
  }
  step.d2h_seconds = transfer_seconds(params_, step.d2h);
  step.h2d_seconds = transfer_seconds(params_, step.h2d);
  step.stall_seconds = stall_seconds(params_, step.h2d_seconds);
  step.key_mean_bits = key_.cache.mean_bits();
  step.value_mean_bits = value_.cache.mean_bits();
}

std::int64_t CacheStream::n_units() const {
  return static_cast<std::int64_t>(key_.cache.held().n_bits.size() +
                                   value_.cache.held().n_bits.size());
}

}  // namespace qaq
