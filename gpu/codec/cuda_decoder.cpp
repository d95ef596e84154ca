#include "gpu/codec/cuda_decoder.h"

#include <numeric>

#include "core/evaluate/time_in.h"
#include "core/replay/link_model.h"
#include "core/replay/stream_planner.h"
#include "gpu/device/probe.h"
#include "gpu/engine/device_plan.h"

namespace qaq::cuda {
namespace {

StreamingSetup setup_of(const ModelSpec& spec, const EngineLimits& limits,
                        const DecodePolicy& policy) {
  require_qaq(policy, "cuda");
  validate(policy);
  return {.shape = spec.shape,
          .max_tokens = limits.max_tokens,
          .dtype = policy.dtype,
          .params = planning_params(policy.params, policy.streaming),
          .streaming = policy.streaming};
}

double mean_of(const std::vector<std::uint8_t>& n_bits) {
  if (n_bits.empty()) return 0;
  const auto sum = std::accumulate(n_bits.begin(), n_bits.end(), std::int64_t{0});
  return static_cast<double>(sum) / static_cast<double>(n_bits.size());
}

}  // namespace

CudaDecoder::CudaDecoder(std::shared_ptr<const ModelSource> model, const EngineLimits& wanted,
                         const DecodePolicy& policy, std::shared_ptr<CublasLt> library,
                         const Work& work)
    : setup_(setup_of(model->spec(), wanted, policy)) {
  EngineLimits limits = wanted;
  limits.dtype = policy.dtype;
  limits.tapped = false;
  const EngineLimits half = half_limits(limits);
  require_device_memory(
      StreamingOps::memory(model->spec(), limits, setup_),
      StreamingOps::memory(model->spec(), half, setup_of(model->spec(), half, policy)),
      limits.max_tokens, free_device_bytes());
  auto ops = std::make_unique<StreamingOps>(model->spec(), limits, setup_, std::move(library));
  ops_ = ops.get();
  engine_ = std::make_unique<Engine>(std::move(model), std::move(ops), limits, work);
}

void CudaDecoder::prefill(std::span<const std::int32_t> ids, const Work& work) {
  {
    const TimeIn time(figures_.prefill_seconds);
    figures_.prefill = std::ssize(ids);
    engine_->run(ids, nullptr, work);
  }
  figures_.prefill_quantizing_seconds = ops_->quantizing_seconds();
  StreamingStep& prompt = figures_.prompt;
  prompt.token = figures_.prefill - 1;
  prompt.d2h.bytes = figures_.prefill * token_bytes(setup_.cache_shape());
  for (const CacheSide which : {CacheSide::key, CacheSide::value}) {
    const std::int64_t units = ops_->side(which).units_per_token();
    prompt.d2h.count += units;
    CacheChanges& changes = which == CacheSide::key ? prompt.key : prompt.value;
    changes.demotions = figures_.prefill * units;  // quantized for the first time
  }
  const Held key = held(CacheSide::key), value = held(CacheSide::value);
  prompt.key_mean_bits = key.mean_bits;
  prompt.value_mean_bits = value.mean_bits;
  prompt.resident_bytes = resident_bytes(key, value);
}

void CudaDecoder::decode(std::int32_t id, const Work& work) {
  const TimeIn time(figures_.step_seconds);
  const std::int64_t n_planned = ops_->n_planned();
  const PlanCounts key = ops_->counts(CacheSide::key), value = ops_->counts(CacheSide::value);
  engine_->run({&id, 1}, nullptr, work);
  figures_.step_quantizing_seconds += ops_->quantizing_seconds();
  figures_.step_exposed_seconds =
      figures_.step_exposed_seconds.value_or(0) + ops_->exposed_seconds();
  ++figures_.steps;
  Transfers h2d;
  for (const CacheSide which : {CacheSide::key, CacheSide::value}) {
    const bool is_key = which == CacheSide::key;
    const StreamedSide& side = ops_->side(which);
    const PlanCounts &before = is_key ? key : value, &after = ops_->counts(which);
    CacheChanges step;
    step.promotions = static_cast<std::int64_t>(after.promotions - before.promotions);
    step.demotions = static_cast<std::int64_t>(after.demotions - before.demotions);
    step.fetched = step.promotions;
    if (setup_.streaming.demote_from == DemoteFrom::cpu) {
      // Not those of the tail, which are quantized for the first time.
      step.fetched += step.demotions - (ops_->n_planned() - n_planned) * side.units_per_token();
    }
    step.requantized_values = (step.promotions + step.demotions) * side.unit_size();
    step.h2d = {step.fetched, step.fetched * side.unit_size() * kStreamedBytes};
    (is_key ? figures_.key : figures_.value) += step;
    h2d += step.h2d;
    figures_.d2h.count += side.units_per_token();
  }
  figures_.d2h.bytes += token_bytes(setup_.cache_shape());
  figures_.h2d += h2d;
  const double seconds = transfer_seconds(setup_.streaming, h2d);
  figures_.h2d_seconds += seconds;
  figures_.stall_seconds += stall_seconds(setup_.streaming, seconds);
}

CudaDecoder::Held CudaDecoder::held(CacheSide side) const {
  const Plan plan = ops_->side(side).held(ops_->n_planned(), ops_->stream());
  const std::vector<UnitStats> stats = ops_->side(side).stats(ops_->n_planned(), ops_->stream());
  return {packed_bytes(plan, stats, packed_format(plan.quantizer, DType::f16)),
          mean_of(plan.n_bits)};
}

std::int64_t CudaDecoder::resident_bytes(const Held& key, const Held& value) const {
  const std::int64_t n_tail = engine_->n_tokens() - ops_->n_planned();
  return key.bytes.total() + value.bytes.total() + n_tail * token_bytes(setup_.cache_shape());
}

DecodeFigures CudaDecoder::figures() const {
  DecodeFigures out = figures_;
  const Held key = held(CacheSide::key), value = held(CacheSide::value);
  out.key_bytes = key.bytes;
  out.value_bytes = value.bytes;
  out.key_mean_bits = key.mean_bits;
  out.value_mean_bits = value.mean_bits;
  out.resident_bytes = resident_bytes(key, value);
  out.full_bytes = engine_->n_tokens() * token_bytes(setup_.cache_shape());
  out.on_device = {ops_->side(CacheSide::key).bytes(ops_->stream()),
                   ops_->side(CacheSide::value).bytes(ops_->stream())};
  return out;
}

std::vector<std::uint8_t> CudaDecoder::n_bits(CacheSide side) const {
  return ops_->side(side).held(ops_->n_planned(), ops_->stream()).n_bits;
}

}  // namespace qaq::cuda
