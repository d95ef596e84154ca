#include "core/evaluate/closed_loop.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <optional>
#include <utility>

#include "core/evaluate/retained_prompt.h"
#include "core/evaluate/time_in.h"
#include "core/model/plain_rope.h"
#include "core/policy/retention.h"
#include "core/replay/replay_sizes.h"

namespace qaq {
namespace {

StreamTaps::Options tap_options(const CachePolicy& planning, DType dtype, std::int64_t max_tokens) {
  const PolicyNeeds key = planning.needs(CacheSide::key), value = planning.needs(CacheSide::value);
  const TokenRetention* retention = planning.retention();
  return {.max_tokens = max_tokens,
          .dtype = dtype,
          .with_queries =
              key.q_norm || value.q_norm || (retention && retention->retention_needs().query),
          .with_attention = key.importance || value.importance || retention};
}

DecodePolicy checked(const DecodePolicy& policy) {
  validate(policy);
  return policy;
}

// Rows to write, by layer.
class ChangedRows {
 public:
  ChangedRows(const CacheStream& caches, std::int64_t n_layers)
      : caches_(caches), rows_(static_cast<std::size_t>(n_layers)) {}

  void add(CacheSide side, std::int64_t layer, std::int64_t head, std::int64_t token) {
    const float* numbers = caches_.cache(side).layer(layer).sub(head, token).data();
    const bool key = side == CacheSide::key;
    rows_[static_cast<std::size_t>(layer)].push_back({.head = head,
                                                      .position = token,
                                                      .key = key ? numbers : nullptr,
                                                      .value = key ? nullptr : numbers});
  }
  void write(Engine& engine) const {
    for (std::size_t layer = 0; layer < rows_.size(); ++layer) {
      if (!rows_[layer].empty()) {
        engine.replace_rows(static_cast<std::int64_t>(layer), rows_[layer]);
      }
    }
  }

 private:
  const CacheStream& caches_;
  std::vector<std::vector<CacheRow>> rows_;
};

}  // namespace

ClosedLoop::ClosedLoop(std::unique_ptr<Engine> engine, const DecodePolicy& policy)
    : engine_(std::move(engine)),
      policy_(checked(policy)),
      name_(engine_->spec().name),
      planning_(planning_policy(policy_.policy, policy_.params, policy_.streaming)),
      taps_(engine_->spec(), tap_options(*planning_, policy_.dtype, engine_->limits().max_tokens)),
      caches_({*planning_, taps_.layers(), policy_.streaming, name_}) {}

std::int64_t ClosedLoop::cache_bytes(const ModelShape& shape, const DecodePolicy& policy,
                                     std::int64_t max_tokens) {
  const auto planning = planning_policy(policy.policy, policy.params, policy.streaming);
  const auto taps = tap_options(*planning, policy.dtype, max_tokens);
  const std::int64_t n_rows = 4 * shape.n_kv_heads + (taps.with_queries ? shape.n_heads : 0);
  return 4 * shape.n_layers * n_rows * max_tokens * shape.head_dim;
}

StreamingStep ClosedLoop::run(std::span<const std::int32_t> ids, std::int64_t first_row,
                              const Work& work, double& quantizing) {
  const std::int64_t n_before = engine_->n_tokens();
  const std::vector<double> rope = plain_frequencies(engine_->spec().rope);
  std::optional<RetainedPrompt> prompt;
  if (n_before == 0 && planning_->retention()) {
    prompt.emplace(RetainedPrompt::Source{*planning_->retention(), taps_.layers(),
                                           engine_->spec().shape.n_heads, std::ssize(ids), rope});
    first_row = std::min(first_row, prompt->first_row());
  }
  taps_.hand_rows(
      first_row, [&](std::int64_t layer, std::int64_t position, const NdView<const float, 3>& row) {
        caches_.push(layer, position, row);
        if (prompt) prompt->push(layer, position, row);
      });
  engine_->run(ids, &taps_, work);
  if (prompt) caches_.keep(prompt->take());
  quantizing += taps_.take_seconds();

  const TimeIn time(quantizing);
  StreamingStep step;
  step.token = engine_->n_tokens() - 1;
  caches_.append(engine_->n_tokens());
  const bool planned = caches_.follow(figures_.prefill, taps_.newest_rows(), step);
  write_back(n_before, planned);
  if (caches_.kept()) engine_->set_kept(caches_.kept());
  figures_.peak_resident_bytes =
      std::max(figures_.peak_resident_bytes.value_or(0), step.resident_bytes);
  figures_.resident_bytes = step.resident_bytes;
  figures_.full_bytes = step.full_bytes;
  figures_.kept_share = step.kept_share;
  figures_.key_mean_bits = step.key_mean_bits;
  figures_.value_mean_bits = step.value_mean_bits;
  return step;
}

// The engine has appended the new tokens as it computed them.
void ClosedLoop::write_back(std::int64_t first_new, bool planned) {
  const ModelShape& s = engine_->spec().shape;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    ChangedRows rows(caches_, s.n_layers);
    const Plan& held = caches_.cache(side).held();
    // Where a plan leaves new tokens exact, they are what the cache's numbers can hold.
    const bool changed = planned && !held.keeps_all();
    const bool rounds = (!changed || held.codec) && policy_.dtype != DType::f32;
    if (changed) {
      caches_.cache(side).for_changed_rows(
          [&](std::int64_t layer, std::int64_t head, std::int64_t token) {
            if (!rounds || token < first_new) rows.add(side, layer, head, token);
          });
    }
    if (rounds) {
      for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
        for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
          for (std::int64_t token = first_new; token < engine_->n_tokens(); ++token) {
            rows.add(side, layer, head, token);
          }
        }
      }
    }
    rows.write(*engine_);
  }
}

void ClosedLoop::prefill(std::span<const std::int32_t> ids, const Work& work) {
  assert(!ids.empty() && engine_->n_tokens() == 0);
  const TimeIn time(figures_.prefill_seconds);
  figures_.prefill = std::ssize(ids);
  figures_.prompt = run(ids, first_row_needed(*planning_, policy_.streaming, figures_.prefill),
                        work, figures_.prefill_quantizing_seconds);
  engine_->set_sparse_top_k(planning_->sparse_top_k());  // the prompt attends to all keys
}

void ClosedLoop::decode(std::int32_t id, const Work& work) {
  assert(engine_->n_tokens() > 0);
  const TimeIn time(figures_.step_seconds);
  const StreamingStep step =
      run({&id, 1}, engine_->n_tokens(), work, figures_.step_quantizing_seconds);
  ++figures_.steps;
  figures_.key += step.key;
  figures_.value += step.value;
  figures_.d2h += step.d2h;
  figures_.h2d += step.h2d;
  figures_.h2d_seconds += step.h2d_seconds;
  figures_.stall_seconds += step.stall_seconds;
}

DecodeFigures ClosedLoop::figures() const {
  DecodeFigures out = figures_;
  out.key_bytes = caches_.cache(CacheSide::key).packed_bytes();
  out.value_bytes = caches_.cache(CacheSide::value).packed_bytes();
  if (caches_.kept()) {
    const auto kept = caches_.kept()->span();
    out.key_bytes.positions =
        kPositionBytes * std::accumulate(kept.begin(), kept.end(), std::int64_t{0});
  }
  return out;
}

std::vector<std::uint8_t> ClosedLoop::n_bits(CacheSide side) const {
  return caches_.cache(side).held().n_bits;
}

}  // namespace qaq
