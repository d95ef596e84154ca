#include "core/replay/replayer.h"

#include "core/policy/qaq_policy.h"
#include "core/replay/attention_replay.h"
#include "core/replay/capture_rows.h"
#include "core/replay/replay_sizes.h"
#include "core/tensor/product_check.h"

namespace qaq {
Replayer::Replayer(const CaptureView& capture) : capture_(capture), planner_(capture) {
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
  const QaqPolicy policy(options.params);
  const std::int64_t prefix = checked_prefix(capture_.info(), options.prefix);
  return {planner_.plan(policy, CacheSide::key, prefix, work),
          planner_.plan(policy, CacheSide::value, prefix, work)};
}

SharedReplay Replayer::run(const ReplayOptions& options, Depth depth, const Work& work) {
  const auto [key, value] = plans(options, work);
  const std::int64_t prefix = key.plan.layout.shape().n_tokens;

  const auto result = std::make_shared<ReplayResult>();
  result->policy = QaqPolicy(options.params).name();
  result->parameters = list_parameters(options.params);
  result->prefix = prefix;
  result->dtype_bits = options.params.dtype_bits;
  const auto replayed = [&](const PlannedCache& cache) {
    const int dtype_bits = options.params.dtype_bits;
    return depth == Depth::plan ? planned_replay(capture_.info(), cache, dtype_bits)
                                : replay_cache(capture_, cache, dtype_bits, work);
  };
  result->key = replayed(key);
  result->value = replayed(value);
  set_ratios(key, value, *result);
  result->in_sample = first_row_behind(capture_.info(), prefix) == capture_.info().n_query_rows();
  if (depth == Depth::attention) replay_attention(capture_, key, value, work, *result);
  return result;
}

}  // namespace qaq
