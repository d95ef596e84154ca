// The authors' own quantizer against the kernels, on the host's SIMT shim: statistics, importance,
// bits and quantized rows of every configuration of the synthetic cache.
#include "tests/support/qaq_reference.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <iostream>
#include <limits>
#include <span>
#include <vector>

#include "core/policy/bit_rule.h"
#include "gpu/cuda/kernels/importance.h"
#include "gpu/cuda/kernels/plan_bits.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/cuda/kernels/unit_stats.h"
#include "tests/gpu/cases/quantize_rows.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

using cases::DeviceArray;
using cases::require;
using cases::unwritten;

/// One cache on the device, on its way through the kernels.
class DeviceCache {
 public:
  DeviceCache(const ReferenceConfig& config, const NdView<const float, 4>& cache)
      : side_(config.side),
        params_(config.own()),
        quantizer_(QaqPolicy(config.params).needs(config.side).quantizer),
        shape_{cache.shape(0), cache.shape(1), cache.shape(2), cache.shape(3)},
        layout_(quantizer_.level, shape_),
        values_(std::vector<float>(cache.span().begin(), cache.span().end())),
        stats_(unwritten<UnitStats>(layout_.n_units())),
        importance_(unwritten(shape_.n_layers * shape_.n_kv_heads * shape_.n_tokens)),
        n_bits_(unwritten<std::uint8_t>(layout_.n_units())) {}

  void take_stats() {
    const DeviceArray<std::int64_t> first_bad(
        std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()});
    require(cuda::unit_stats({.values = values_.data(),
                              .stats = stats_.data(),
                              .first_bad = first_bad.data(),
                              .n_layers = shape_.n_layers,
                              .n_kv_heads = shape_.n_kv_heads,
                              .cache_stride = shape_.n_tokens,
                              .head_dim = shape_.head_dim,
                              .units_per_token = layout_.units_per_token(),
                              .n_tokens = shape_.n_tokens,
                              .outliers_ratio = quantizer_.outliers_ratio,
                              .deviation = quantizer_.method == Method::normal},
                             nullptr),
            "unit_stats");
    cases::wait("unit_stats");
  }

  /// From the last n rows of (n_layers, n_kv_heads, T, T).
  void take_importance(const NdView<const float, 4>& attention, std::int64_t n) {
    const std::int64_t n_heads = shape_.n_kv_heads, n_lists = shape_.n_layers * n_heads;
    const std::int64_t first = shape_.n_tokens - n, slab = cuda::triangle_size(first, n);
    std::vector<float> rows(static_cast<std::size_t>(n_lists * slab));
    for (std::int64_t list = 0; list < n_lists; ++list) {
      for (std::int64_t row = first; row < shape_.n_tokens; ++row) {
        std::copy_n(attention.sub(list / n_heads, list % n_heads, row).data(), row + 1,
                    rows.begin() + list * slab + cuda::triangle_size(first, row - first));
      }
    }
    const DeviceArray<float> scores(rows), ring = unwritten(n_lists * n * shape_.n_tokens);
    require(cuda::importance({.scores = scores.data(),
                              .importance = importance_.data(),
                              .ring = ring.data(),
                              .score_stride = n_heads * slab,
                              .stride = shape_.n_tokens,
                              .n_layers = shape_.n_layers,
                              .n_heads = n_heads,
                              .n_kv_heads = n_heads,
                              .n_rows = n,
                              .n_ring = n,
                              .step = {.position = first, .first_row = first},
                              .max_tokens = shape_.n_tokens},
                             nullptr),
            "importance");
    cases::wait("importance");
  }

  void plan() {
    const DeviceArray<cuda::PlanStep> step(std::vector<cuda::PlanStep>{
        {bit_rule(params_, side_, shape_), shape_.n_tokens, shape_.n_tokens}});
    require(cuda::plan_bits({.step = step.data(),
                             .stats = stats_.data(),
                             .importance = importance_.data(),
                             .fixed_q_norm = static_cast<float>(params_.q_norm.number.value()),
                             .symmetric = params_.symmetric,
                             .n_layers = shape_.n_layers,
                             .n_kv_heads = shape_.n_kv_heads,
                             .stride = shape_.n_tokens,
                             .units_per_token = layout_.units_per_token(),
                             .max_tokens = shape_.n_tokens,
                             .n_bits = n_bits_.data()},
                            nullptr),
            "plan_bits");
    cases::wait("plan_bits");
  }

  /// What came of it.
  QuantizedCache quantized() const {
    QuantizedCache out;
    out.plan = {.quantizer = quantizer_, .layout = layout_, .n_bits = n_bits_.host()};
    out.stats = stats_.host();
    const std::int64_t mark_bytes = (shape_.head_dim + 7) / 8;
    out.values =
        NdArray<float, 4>({shape_.n_layers, shape_.n_kv_heads, shape_.n_tokens, shape_.head_dim});
    out.outliers =
        NdArray<std::uint8_t, 4>({shape_.n_layers, shape_.n_kv_heads, shape_.n_tokens, mark_bytes});
    for (std::int64_t layer = 0; layer < shape_.n_layers; ++layer) quantize(layer, out);
    return out;
  }

 private:
  void quantize(std::int64_t layer, QuantizedCache& out) const {
    const auto values = out.values.sub(layer).span();
    const auto outliers = out.outliers.sub(layer).span();
    const auto books = quantizer_.method == Method::normal
                           ? cases::codebooks_up_to(std::ranges::max(out.plan.n_bits))
                           : cases::DeviceCodebooks{};
    const DeviceArray<float> upper(books.upper), centre(books.centre);
    const DeviceArray<float> to = unwritten(std::ssize(values));
    const DeviceArray<UnitStats> stats(of_layer(layer, out.stats));
    const DeviceArray<std::uint8_t> n_bits(of_layer(layer, out.plan.n_bits)),
        marks = unwritten<std::uint8_t>(std::ssize(outliers));
    const DeviceArray<double> errors = unwritten<double>(shape_.n_kv_heads * shape_.n_tokens);
    require(cuda::quantize_rows({.in = values_.data() + layer * std::ssize(values),
                                 .out = to.data(),
                                 .quantizer = quantizer_,
                                 .stats = stats.data(),
                                 .n_bits = n_bits.data(),
                                 .upper = upper.data(),
                                 .centre = centre.data(),
                                 .errors = errors.data(),
                                 .outliers = marks.data(),
                                 .n_kv_heads = shape_.n_kv_heads,
                                 .n_tokens = shape_.n_tokens,
                                 .prefix = shape_.n_tokens,
                                 .head_dim = shape_.head_dim,
                                 .stride = shape_.head_dim,
                                 .units_per_token = units_of_layer()},
                                nullptr),
            "quantize_rows");
    std::ranges::copy(to.host(), values.begin());
    std::ranges::copy(marks.host(), outliers.begin());
  }

  std::int64_t units_of_layer() const {
    return layout_.level() == Level::head ? shape_.n_kv_heads : 1;
  }
  // They follow each other within a token.
  template <class T>
  std::vector<T> of_layer(std::int64_t layer, const std::vector<T>& units) const {
    std::vector<T> out;
    for (std::int64_t token = 0; token < shape_.n_tokens; ++token) {
      const auto first = units.begin() + layout_.unit(layer, 0, token);
      out.insert(out.end(), first, first + units_of_layer());
    }
    return out;
  }

  CacheSide side_;
  QaqSideParams params_;
  QuantizerSpec quantizer_;
  CacheShape shape_;
  UnitLayout layout_;
  DeviceArray<float> values_;
  DeviceArray<UnitStats> stats_;
  DeviceArray<float> importance_;
  DeviceArray<std::uint8_t> n_bits_;
};

QuantizedCache quantize_on_device(const ReferenceConfig& config,
                                  const NdView<const float, 4>& cache,
                                  const NdView<const float, 4>& attention) {
  const PolicyNeeds needs = QaqPolicy(config.params).needs(config.side);
  // Nothing is launched for a cache that is kept as it is.
  if (needs.quantizer.level == Level::no_quantization) {
    return quantize_cache(config, cache, attention);
  }
  DeviceCache device(config, cache);
  device.take_stats();
  if (needs.importance) device.take_importance(attention, needs.importance->n_rows);
  device.plan();
  return device.quantized();
}

TEST(CudaQaqReference, SyntheticMultiHeadCache) {
  QaqReference reference(test_data_path("oracle"), "qaq_reference_synthetic");
  const QaqDeviations deviations = reference.compare_all(quantize_on_device);
  EXPECT_EQ(deviations.n_configs, 201);
  std::cout << "largest deviation: " << deviations.text() << "\n";
}

}  // namespace
}  // namespace qaq::test
