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
  const TimeIn time(figures_.prefill_seconds);
  figures_.prefill = std::ssize(ids);
  engine_->run(ids, nullptr, work);
  figures_.prefill_quantizing_seconds = ops_->quantizing_seconds();
  figures_.prompt.token = figures_.prefill - 1;
  figures_.prompt.d2h.bytes = figures_.prefill * token_bytes(setup_.cache_shape());
}

void CudaDecoder::decode(std::int32_t id, const Work& work) {
  const TimeIn time(figures_.step_seconds);
  engine_->run({&id, 1}, nullptr, work);
  figures_.step_quantizing_seconds += ops_->quantizing_seconds();
  ++figures_.steps;
}

DecodeFigures CudaDecoder::figures() const {
  DecodeFigures out = figures_;
  const std::int64_t n_planned = ops_->n_planned(), n_tokens = engine_->n_tokens();
  const std::int64_t token = token_bytes(setup_.cache_shape());
  out.full_bytes = n_tokens * token;
  out.resident_bytes = (n_tokens - n_planned) * token;
  for (const CacheSide which : {CacheSide::key, CacheSide::value}) {
    const bool key = which == CacheSide::key;
    const StreamedSide& side = ops_->side(which);
    const Plan plan = side.held(n_planned, ops_->stream());
    const std::vector<UnitStats> stats = side.stats(n_planned, ops_->stream());
    PackedBytes& bytes = key ? out.key_bytes : out.value_bytes;
    bytes = packed_bytes(plan, stats, packed_format(plan.quantizer, DType::f16));
    out.resident_bytes += bytes.total();
    (key ? out.key_mean_bits : out.value_mean_bits) = mean_of(plan.n_bits);

    const PlanCounts counts = side.counts(ops_->stream());
    CacheChanges& changes = key ? out.key : out.value;
    changes.promotions = static_cast<std::int64_t>(counts.promotions);
    // Those of the prompt's plan are no step's.
    const std::int64_t first = figures_.prefill * plan.layout.units_per_token();
    changes.demotions = static_cast<std::int64_t>(counts.demotions) - first;
    CacheChanges& of_prompt = key ? out.prompt.key : out.prompt.value;
    of_prompt.demotions = first;
    const std::int64_t fresh = (n_planned - figures_.prefill) * plan.layout.units_per_token();
    const bool from_host = setup_.streaming.demote_from == DemoteFrom::cpu;
    changes.fetched = changes.promotions + (from_host ? changes.demotions - fresh : 0);
    changes.requantized_values = (changes.promotions + changes.demotions) * plan.layout.unit_size();
    changes.h2d = {changes.fetched, changes.fetched * plan.layout.unit_size() * kStreamedBytes};
    out.h2d += changes.h2d;
    out.d2h.count += figures_.steps * plan.layout.units_per_token();
  }
  out.d2h.bytes = figures_.steps * token;
  out.peak_resident_bytes = out.resident_bytes;
  out.h2d_seconds = transfer_seconds(setup_.streaming, out.h2d);
  out.stall_seconds = stall_seconds(setup_.streaming, out.h2d_seconds);
  return out;
}

std::vector<std::uint8_t> CudaDecoder::n_bits(CacheSide side) const {
  return ops_->side(side).held(ops_->n_planned(), ops_->stream()).n_bits;
}

MixedCacheBytes CudaDecoder::device_bytes(CacheSide side) const {
  return ops_->side(side).bytes(ops_->stream());
}

}  // namespace qaq::cuda
