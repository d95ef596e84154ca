#include "core/replay/replayer.h"

#include <utility>

#include "core/policy/qaq_policy.h"
#include "core/replay/capture_rows.h"
#include "core/replay/measured_replay.h"
#include "core/replay/replay_sizes.h"
#include "core/tensor/product_check.h"

namespace qaq {
namespace {

std::shared_ptr<const CachePolicy> policy_of(const ReplayOptions& options) {
  return options.policy ? options.policy : std::make_shared<QaqPolicy>(options.params);
}

}  // namespace

Replayer::Replayer(const CaptureView& capture, OpenReplay open)
    : capture_(capture), planner_(capture), open_(std::move(open)) {
  require_right_products();
}

SharedReplay Replayer::planned(const ReplayOptions& options, const Work& work) {
  return run(options, Depth::plan, work);
}

SharedReplay Replayer::bits(const ReplayOptions& options, const Work& work) {
  return run(options, Depth::values, work);
}

SharedReplay Replayer::full(const ReplayOptions& options, const Work& work) {
  return run(options, Depth::attention, work);
}

PlannedCaches Replayer::plans(const ReplayOptions& options, const Work& work) {
  return plans(*policy_of(options), options, work);
}

PlannedCaches Replayer::plans(const CachePolicy& policy, const ReplayOptions& options,
                              const Work& work) {
  const std::int64_t prefix = checked_prefix(capture_.info(), options.prefix);
  return {planner_.plan(policy, CacheSide::key, prefix, work),
          planner_.plan(policy, CacheSide::value, prefix, work), policy.sparse_top_k()};
}

SharedReplay Replayer::run(const ReplayOptions& options, Depth depth, const Work& work) {
  const auto policy = policy_of(options);
  const PlannedCaches planned = plans(*policy, options, work);
  const std::int64_t prefix = planned.key.plan.layout.shape().n_tokens;
  const CaptureInfo& info = capture_.info();
  const int dtype_bits = policy->dtype_bits();

  const auto result = std::make_shared<ReplayResult>();
  result->policy = policy->name();
  result->parameters = policy->parameters();
  result->prefix = prefix;
  result->dtype_bits = dtype_bits;
  result->key = planned_replay(info, planned.key, dtype_bits);
  result->value = planned_replay(info, planned.value, dtype_bits);
  set_ratios(planned.key, planned.value, *result);
  result->in_sample = first_row_behind(info, prefix) == info.n_query_rows();
  if (depth == Depth::plan) return result;
  const ReplayScope scope =
      depth == Depth::attention ? whole_scope(info, prefix) : ReplayScope{.prefix = prefix};
  measure_replay(info, scope, planned, *open_(capture_, scope, work), work, *result);
  return result;
}

}  // namespace qaq
