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

SharedReplay Replayer::bits(const ReplayOptions& options, const Work& work) {
  return run(options, false, work);
}

SharedReplay Replayer::full(const ReplayOptions& options, const Work& work) {
  return run(options, true, work);
}

PlannedCaches Replayer::plans(const ReplayOptions& options, const Work& work) {
  const QaqPolicy policy(options.params);
  const std::int64_t prefix = checked_prefix(capture_.info(), options.prefix);
  return {planner_.plan(policy, CacheSide::key, prefix, work),
          planner_.plan(policy, CacheSide::value, prefix, work)};
}

SharedReplay Replayer::run(const ReplayOptions& options, bool with_attention, const Work& work) {
  const auto [key, value] = plans(options, work);
  const std::int64_t prefix = key.plan.layout.shape().n_tokens;

  const auto result = std::make_shared<ReplayResult>();
  result->policy = QaqPolicy(options.params).name();
  result->parameters = list_parameters(options.params);
  result->prefix = prefix;
  result->dtype_bits = options.params.dtype_bits;
  result->key = replay_cache(capture_, key, options.params.dtype_bits, work);
  result->value = replay_cache(capture_, value, options.params.dtype_bits, work);
  set_ratios(key, value, *result);
  result->in_sample = first_row_behind(capture_.info(), prefix) == capture_.info().n_query_rows();
  if (with_attention) replay_attention(capture_, key, value, work, *result);
  return result;
}

}  // namespace qaq
