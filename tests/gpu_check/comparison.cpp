#include "tests/gpu_check/comparison.h"

#include <limits>

#include "core/engine/backend.h"
#include "gpu/backend.h"
#include "tests/support/deviation.h"
#include "tests/support/half_numbers.h"
#include "tests/support/rounded_model.h"

namespace qaq::gpu_check {

using cases::CaseRow;

CaseRow compare(const std::string& name, std::span<const float> ours,
                std::span<const float> reference, const Bound& bound) {
  test::Deviation d;
  if (ours.size() == reference.size()) d.add(ours, reference);
  CaseRow row{name, cases::shape_text({{"n", std::ssize(reference)}}),
              std::numeric_limits<double>::infinity(), bound.most,
              cases::digest_of(std::vector<float>(ours.begin(), ours.end()))};
  if (d.n == 0 || !(d.max_reference > 0)) return row;
  row.worst = bound.measure == Bound::Measure::rms ? d.rms() : d.max_abs;
  if (bound.of_largest) row.worst /= bound.largest > 0 ? bound.largest : d.max_reference;
  return row;
}

void run_tokens(Engine& engine, std::span<const std::int32_t> ids, std::int64_t n_decoded,
                TapSink& taps) {
  const auto n_prompt = ids.size() - static_cast<std::size_t>(n_decoded);
  engine.run(ids.first(n_prompt), &taps);
  for (std::size_t i = n_prompt; i < ids.size(); ++i) engine.run(ids.subspan(i, 1), &taps);
}

HalfModel::HalfModel(std::string name, const std::shared_ptr<const ModelSource>& model, DType dtype,
                     std::vector<std::int32_t> ids, double max_divergence)
    : name_(std::move(name)),
      model_(std::make_shared<test::RoundedModel>(model, dtype)),
      dtype_(dtype),
      ids_(std::move(ids)),
      max_divergence_(max_divergence),
      expected_(model->spec().shape, std::ssize(ids_)) {
  const auto n = std::ssize(ids_);
  make_cpu_backend()->open(model_, {n, n})->run(ids_, &expected_);
}

std::vector<CaseRow> HalfModel::check(std::int64_t n_decoded) const {
  const auto n = std::ssize(ids_);
  test::TapRecorder taps(model_->spec().shape, n);
  const EngineLimits limits{.max_tokens = n, .max_batch = n, .dtype = dtype_};
  run_tokens(*make_cuda_backend()->open(model_, limits), ids_, n_decoded, taps);

  const double factor = dtype_ == DType::f16 ? 1 : 8;
  std::vector<CaseRow> rows;
  const auto add = [&](const char* what, std::span<const float> ours, std::span<const float> theirs,
                       const test::HalfBound& bound) {
    const std::string of = name_ + ", " + std::string(name_of(dtype_)) + ", " + what;
    rows.push_back(compare(of, ours, theirs, {.most = factor * bound.most}));
    rows.push_back(compare(of + ", rms", ours, theirs,
                           {.most = factor * bound.rms, .measure = Bound::Measure::rms}));
  };
  add("query", taps.query.span(), expected_.query.span(), test::kHalfActivations);
  add("key", taps.key.span(), expected_.key.span(), test::kHalfActivations);
  add("value", taps.value.span(), expected_.value.span(), test::kHalfActivations);
  add("attention", taps.attention.span(), expected_.attention.span(), test::kHalfAttention);
  add("logits", taps.logits.span(), expected_.logits.span(), test::kHalfLogits);

  CaseRow divergence = rows.back(), choice = rows.back();
  divergence.name = name_ + ", " + std::string(name_of(dtype_)) + ", divergence";
  divergence.worst = 0, divergence.bound = factor * factor * max_divergence_;
  choice.name = name_ + ", " + std::string(name_of(dtype_)) + ", other choices";
  choice.worst = choice.bound = 0;
  for (std::int64_t row = 0; row < n; ++row) {
    const std::span<const float> ours = taps.logits.sub(row).span();
    const std::span<const float> theirs = expected_.logits.sub(row).span();
    const double kl = test::divergence(ours, theirs);
    divergence.worst =
        std::isnan(kl) ? std::numeric_limits<double>::infinity() : std::max(divergence.worst, kl);
    choice.worst += test::same_choice(ours, theirs) ? 0 : 1;
  }
  rows.push_back(divergence);
  rows.push_back(choice);
  return rows;
}

}  // namespace qaq::gpu_check
