#include "core/replay/sweep.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/qaq_policy.h"
#include "core/replay/capture_rows.h"
#include "core/replay/measured_replay.h"
#include "core/replay/replay_sizes.h"
#include "core/tensor/product_check.h"

namespace qaq {
namespace {

// What settings must have in common to ask a planner for the same statistics.
std::string planner_key(const CachePolicy& policy) {
  std::string key;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const PolicyNeeds needs = policy.needs(side);
    key += cat(static_cast<int>(needs.quantizer.level), " ",
               static_cast<int>(needs.quantizer.method), " ",
               static_cast<int>(needs.quantizer.outlier_rule), " ", needs.quantizer.outliers_ratio,
               " ", needs.quantizer.n_sigma, " ", needs.quantizer.max_outliers, " ",
               needs.plan_stride, " ", needs.q_norm ? needs.q_norm->quantile : -1, " ");
    if (!needs.importance) continue;
    key += cat(static_cast<int>(needs.importance->rule), " ", needs.importance->n_rows, " ",
               static_cast<int>(needs.importance->reduce), " ", needs.importance->head_stride, " ",
               needs.importance->adaptive.has_value(), " ");
  }
  return key;
}

ReplayScope newest_rows(const CaptureInfo& info, std::int64_t prefix, std::int64_t n_rows) {
  ReplayScope scope = whole_scope(info, prefix);
  const std::int64_t n = std::clamp<std::int64_t>(n_rows, 0, scope.n_rows);
  scope.first_row += scope.n_rows - n;
  scope.n_rows = n;
  scope.keeps_layers = true;
  return scope;
}

double add_all(const NdView<const double, 2>& errors, double sum) {
  for (const double e : errors.span()) sum += e;
  return sum;
}

// Without the rows that are evicted.
double add_kept(const Plan& plan, std::int64_t layer, const NdView<const double, 2>& errors,
                double sum) {
  if (!plan.kept || errors.empty()) return add_all(errors, sum);
  const auto kept = plan.kept->sub(layer).span();
  for (std::size_t i = 0; i < kept.size(); ++i) sum += kept[i] != 0 ? errors.span()[i] : 0;
  return sum;
}

}  // namespace

struct Sweeper::Sums {
  double key_error = 0, value_error = 0;  ///< squared, over values
  double attention_error = 0;             ///< over compared rows
  double output_error = 0;
};

Sweeper::Sweeper(const CaptureView& capture, const SweepOptions& options, const Work& work,
                 const OpenReplay& open)
    : capture_(capture),
      scope_(newest_rows(capture.info(), checked_prefix(capture.info(), options.prefix),
                         options.n_rows)) {
  require_right_products();
  kernel_ = open(capture, scope_, work);
}

PlannedCaches Sweeper::planned(const CachePolicy& policy, const Work& work) {
  Planner& planner = planners_.try_emplace(planner_key(policy), capture_).first->second;
  return {planner.plan(policy, CacheSide::key, scope_.prefix, work),
          planner.plan(policy, CacheSide::value, scope_.prefix, work), policy.sparse_top_k()};
}

std::vector<SharedReplay> Sweeper::run(std::span<const QaqParams> settings, const Work& work) {
  return run(qaq_policies(settings), work);
}

std::vector<SharedReplay> Sweeper::run(std::span<const std::shared_ptr<const CachePolicy>> settings,
                                       const Work& work) {
  std::vector<PlannedCaches> plans;
  for (const auto& policy : settings) {
    work.throw_if_stopped();
    plans.push_back(planned(*policy, work));
  }
  std::vector<Sums> sums(settings.size());
  for (std::int64_t layer = 0; layer < capture_.info().n_captured_layers(); ++layer) {
    const auto take = [&](std::int64_t plan, const PlanErrors& errors) {
      Sums& to = sums[static_cast<std::size_t>(plan)];
      const PlannedCaches& of = plans[static_cast<std::size_t>(plan)];
      to.key_error = add_kept(of.key.plan, layer, errors.key, to.key_error);
      to.value_error = add_kept(of.value.plan, layer, errors.value, to.value_error);
      to.attention_error = add_all(errors.prefix_attention, to.attention_error);
      to.output_error = add_all(errors.output, to.output_error);
    };
    kernel_->measure(layer, plans, false, take, work);
  }
  std::vector<SharedReplay> out(settings.size());
  parallel_for(std::ssize(settings), [&](std::int64_t n) {
    const auto i = static_cast<std::size_t>(n);
    out[i] = result_of(*settings[i], plans[i], sums[i]);
  });
  return out;
}

SharedReplay Sweeper::result_of(const CachePolicy& policy, const PlannedCaches& plans,
                                const Sums& sums) const {
  const CaptureInfo& info = capture_.info();
  auto out = std::make_shared<ReplayResult>();
  out->policy = policy.name();
  out->parameters = policy.parameters();
  out->prefix = scope_.prefix;
  out->dtype_bits = policy.dtype_bits();
  fill_sizes(plans.key, info.dtype, out->dtype_bits, out->key);
  fill_sizes(plans.value, info.dtype, out->dtype_bits, out->value);
  out->key.quantization_error = sums.key_error / static_cast<double>(out->key.n_kept);
  out->value.quantization_error = sums.value_error / static_cast<double>(out->value.n_kept);
  set_ratios(plans.key, plans.value, *out);
  out->in_sample = first_row_behind(info, scope_.prefix) == info.n_query_rows();
  if (scope_.n_rows > 0) {
    const auto n_rows =
        static_cast<double>(info.n_captured_layers() * info.shape.n_heads * scope_.n_rows);
    out->mean_attention_error =
        sums.attention_error / (n_rows * static_cast<double>(scope_.prefix));
    out->mean_output_error = sums.output_error / n_rows;
  }
  return out;
}

}  // namespace qaq
