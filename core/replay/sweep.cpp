#include "core/replay/sweep.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/quantize.h"
#include "core/replay/capture_rows.h"
#include "core/replay/replay_sizes.h"
#include "core/replay/row_errors.h"
#include "core/tensor/product_check.h"

namespace qaq {
namespace {

// What settings must have in common to ask a planner for the same statistics.
std::string planner_key(const QaqPolicy& policy) {
  std::string key;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const PolicyNeeds needs = policy.needs(side);
    key +=
        cat(static_cast<int>(needs.quantizer.level), " ", static_cast<int>(needs.quantizer.method),
            " ", needs.quantizer.outliers_ratio, " ", needs.attention_rows, " ",
            static_cast<int>(needs.gqa_reduce), " ", needs.q_norm_quantile.value_or(-1), " ");
  }
  return key;
}

// One layer of a cache with its prefix quantized, (n_kv_heads, T, D), and the errors of its rows.
struct QuantizedCopy {
  NdArray<float, 3> values;
  NdArray<double, 2> errors;
};

// Copies that tasks use in turn: fresh memory would cost as much as the work.
class CopyPool {
 public:
  std::unique_ptr<QuantizedCopy> take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return std::make_unique<QuantizedCopy>();
    auto out = std::move(spare_.back());
    spare_.pop_back();
    return out;
  }
  void give(std::unique_ptr<QuantizedCopy> copy) {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(copy));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<QuantizedCopy>> spare_;
};

}  // namespace

struct Sweeper::Setting {
  QaqParams params;
  PlannedCache key, value;
  double key_error = 0, value_error = 0;  ///< squared, summed over values
  double attention_error = 0;             ///< sums over compared rows
  double output_error = 0;
};

Sweeper::Sweeper(const CaptureView& capture, const SweepOptions& options, const Work& work)
    : capture_(capture), prefix_(checked_prefix(capture.info(), options.prefix)) {
  require_right_products();
  const CaptureInfo& info = capture.info();
  const std::int64_t n_captured = info.n_query_rows();
  if (info.has_queries && info.profile != AttentionProfile::none) {
    n_rows_ =
        std::clamp<std::int64_t>(options.n_rows, 0, n_captured - first_replayed_row(info, prefix_));
  }
  const std::int64_t n_layers = info.n_captured_layers();
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({"read", layer, n_layers, "layers"});
    work.throw_if_stopped();
    Layer& held = layers_.emplace_back();
    held.key = capture.key(layer);
    held.value = capture.value(layer);
    if (n_rows_ == 0) continue;
    held.query = capture.query(layer);
    held.scores = capture.attention(layer, n_captured - n_rows_, n_rows_);
    held.output = row_outputs(held.value->view(), held.scores->view(), positions());
  }
}

std::span<const std::int32_t> Sweeper::positions() const {
  return std::span(capture_.info().query_token).last(static_cast<std::size_t>(n_rows_));
}

Planner& Sweeper::planner_for(const QaqParams& params) {
  return planners_.try_emplace(planner_key(QaqPolicy(params)), capture_).first->second;
}

Sweeper::Setting Sweeper::planned(const QaqParams& params, const Work& work) {
  const QaqPolicy policy(params);
  Planner& planner = planner_for(params);
  Setting out;
  out.params = params;
  out.key = planner.plan(policy, CacheSide::key, prefix_, work);
  out.value = planner.plan(policy, CacheSide::value, prefix_, work);
  return out;
}

std::vector<SharedReplay> Sweeper::run(std::span<const QaqParams> settings, const Work& work) {
  for (const QaqParams& params : settings) validate(params);
  const auto n = static_cast<std::int64_t>(settings.size());
  std::vector<Setting> all;
  for (const QaqParams& params : settings) {
    work.throw_if_stopped();
    all.push_back(planned(params, work));
  }
  // A layer's numbers stay in the caches while all settings pass over them.
  for (std::int64_t layer = 0; layer < std::ssize(layers_); ++layer) {
    work.throw_if_stopped();
    parallel_for(n, [&](std::int64_t i) { measure(layer, all[static_cast<std::size_t>(i)]); });
  }
  std::vector<SharedReplay> out(all.size());
  parallel_for(n, [&](std::int64_t i) {
    out[static_cast<std::size_t>(i)] = result_of(all[static_cast<std::size_t>(i)]);
  });
  return out;
}

void Sweeper::measure(std::int64_t layer, Setting& setting) const {
  static CopyPool pool;
  const Layer& exact = layers_[static_cast<std::size_t>(layer)];
  // The layer as this setting keeps it: what it was, or a copy that the caller gives back.
  const auto quantized = [&](const PlannedCache& cache, const NdArray<float, 3>& from,
                             double& error) -> std::unique_ptr<QuantizedCopy> {
    if (cache.plan.keeps_all()) return nullptr;
    auto copy = pool.take();
    const std::int64_t n_heads = from.shape(0), n_tokens = from.shape(1), dim = from.shape(2);
    if (copy->values.shape() != from.shape()) copy->values = NdArray<float, 3>(from.shape());
    const Shape<2> rows{n_heads, prefix_};
    if (copy->errors.shape() != rows) copy->errors = NdArray<double, 2>(rows);
    quantize_layer(cache.plan, cache.stats, layer, from.view(),
                   {copy->values.view(), {}, copy->errors.view()});
    for (const double e : copy->errors.span()) error += e;
    for (std::int64_t head = 0; head < n_heads && n_rows_ > 0; ++head) {
      const float* behind = from.sub(head).data() + prefix_ * dim;
      std::copy_n(behind, (n_tokens - prefix_) * dim,
                  copy->values.sub(head).data() + prefix_ * dim);
    }
    return copy;
  };
  auto key = quantized(setting.key, *exact.key, setting.key_error);
  auto value = quantized(setting.value, *exact.value, setting.value_error);
  if (n_rows_ > 0) {
    const LayerCaches caches{exact.query->view(),
                             key ? std::as_const(key->values).view() : exact.key->view(),
                             exact.value->view(),
                             value ? std::as_const(value->values).view() : exact.value->view(),
                             prefix_,
                             capture_.info().attention_window(layer)};
    const RowErrors errors =
        row_errors(caches, exact.scores->view(), positions(), exact.output.view());
    for (std::int64_t i = 0; i < errors.output.size(); ++i) {
      setting.attention_error += errors.prefix_attention.data()[i];
      setting.output_error += errors.output.data()[i];
    }
  }
  if (key) pool.give(std::move(key));
  if (value) pool.give(std::move(value));
}

SharedReplay Sweeper::result_of(const Setting& setting) const {
  const CaptureInfo& info = capture_.info();
  auto out = std::make_shared<ReplayResult>();
  out->policy = QaqPolicy(setting.params).name();
  out->parameters = list_parameters(setting.params);
  out->prefix = prefix_;
  out->dtype_bits = setting.params.dtype_bits;
  fill_sizes(setting.key, info.dtype, out->dtype_bits, out->key);
  fill_sizes(setting.value, info.dtype, out->dtype_bits, out->value);
  out->key.quantization_error = setting.key_error / static_cast<double>(out->key.n_values);
  out->value.quantization_error = setting.value_error / static_cast<double>(out->value.n_values);
  set_ratios(setting.key, setting.value, *out);
  out->in_sample = first_row_behind(info, prefix_) == info.n_query_rows();
  if (n_rows_ > 0) {
    const auto n_rows =
        static_cast<double>(info.n_captured_layers() * info.shape.n_heads * n_rows_);
    out->mean_attention_error = setting.attention_error / (n_rows * static_cast<double>(prefix_));
    out->mean_output_error = setting.output_error / n_rows;
  }
  return out;
}

}  // namespace qaq
