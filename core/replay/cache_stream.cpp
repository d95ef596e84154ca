#include "core/replay/cache_stream.h"

namespace qaq {
CacheStream::Side::Side(const Source& source, CacheSide side)
    : planner({source.policy, side, source.layers, source.params, source.name}),
      cache(StreamedCache::empty(source.layers.of(side), planner.stats(), source.layers.shape,
                                 source.params)) {}

CacheStream::CacheStream(const Source& source)
    : shape_(source.layers.shape),
      params_(source.params),
      plan_stride_(source.policy.needs(CacheSide::key).plan_stride),
      key_(source, CacheSide::key),
      value_(source, CacheSide::value) {}

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
}

bool CacheStream::follow(std::int64_t prefill, std::span<const NdArray<float, 3>> rows,
                         StreamingStep& step) {
  const std::int64_t n_tokens = step.token + 1;
  const bool planned = (n_tokens - prefill) % plan_stride_ == 0;
  if (planned) {
    step.key = key_.cache.follow(key_.planner.plan(n_tokens, rows));
    step.value = value_.cache.follow(value_.planner.plan(n_tokens, rows));
  }
  account(n_tokens == prefill ? prefill : 1, step);
  return planned;
}

void CacheStream::account(std::int64_t n_new, StreamingStep& step) const {
  const std::int64_t n_tokens = step.token + 1;
  step.d2h = {key_.cache.transfers_per_token() + value_.cache.transfers_per_token(),
              n_new * token_bytes(shape_)};
  step.h2d = step.key.h2d;
  step.h2d += step.value.h2d;
  step.resident_bytes = key_.cache.resident_bytes(n_tokens) + value_.cache.resident_bytes(n_tokens);
  step.host_bytes = n_tokens * token_bytes(shape_);
  step.d2h_seconds = transfer_seconds(params_, step.d2h);
  step.h2d_seconds = transfer_seconds(params_, step.h2d);
  step.stall_seconds = stall_seconds(params_, step.h2d_seconds);
  step.key_mean_bits = key_.cache.held().mean_bits();
  step.value_mean_bits = value_.cache.held().mean_bits();
}

std::int64_t CacheStream::n_units() const {
  return static_cast<std::int64_t>(key_.cache.held().n_bits.size() +
                                   value_.cache.held().n_bits.size());
}

}  // namespace qaq
