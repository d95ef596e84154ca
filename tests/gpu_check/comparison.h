#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "tests/gpu/cases/check.h"
#include "tests/support/tap_recorder.h"

namespace qaq::gpu_check {

/// How far numbers may lie from their reference: the largest error, or the root mean square of all,
/// itself or as a share of the largest reference.
struct Bound {
  enum class Measure { error, rms };
  double most = 0;
  Measure measure = Measure::error;
  bool of_largest = true;
  double largest = 0;  ///< 0: of the numbers given
};

/// Nothing to compare, or a reference of nothing but zeros, is infinitely far.
cases::CaseRow compare(const std::string& name, std::span<const float> ours,
                       std::span<const float> reference, const Bound& bound);

/// Runs all but the last `n_decoded` ids in one batch, and those one by one.
void run_tokens(Engine& engine, std::span<const std::int32_t> ids, std::int64_t n_decoded,
                TapSink& taps);

/// A model in 16 bits on the GPU, against float32 on the CPU with the same rounded weights.
class HalfModel {
 public:
  /// `max_divergence`: of a row's logits, in nats.
  HalfModel(std::string name, const std::shared_ptr<const ModelSource>& model, DType dtype,
            std::vector<std::int32_t> ids, double max_divergence);

  /// Queries, keys, values, attention and logits, the divergence of each row of logits, and rows
  /// whose largest is another. The last `n_decoded` tokens are decoded.
  std::vector<cases::CaseRow> check(std::int64_t n_decoded) const;

 private:
  std::string name_;
  std::shared_ptr<const ModelSource> model_;
  DType dtype_;
  std::vector<std::int32_t> ids_;
  double max_divergence_;
  test::TapRecorder expected_;
};

}  // namespace qaq::gpu_check
