#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/parameters.h"
#include "core/quant/quantizer_spec.h"

namespace qaq {

/// Which of the two caches.
enum class CacheSide { key, value };

/// How a KV head sees the attention of its query heads.
enum class GqaReduce { max, mean, sum };
template <>
struct ChoiceNames<GqaReduce> {
  static constexpr std::array<std::string_view, 3> names{"max", "mean", "sum"};
};

/// Parameters of one cache, under the authors' names (arXiv 2403.04643 and their `Quantizer`).
struct QaqSideParams {
  Level level = Level::head;
  bool symmetric = false;
  Method method = Method::uniform;
  double outliers_ratio = 0.01;
  bool use_attentions = true;
  int n_bits_uniform = 2;
  int last_n_attentions = 5;
  double target_quantization_error = 1.0;
  int n_bits_min = 1;
  int n_bits_max = 8;
  double q_norm = 300.0;  ///< key only

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v, CacheSide side) {
    v(ParameterInfo{.name = "level",
                    .help = "What shares a scale and a bit width: a token, a token in one layer, "
                            "or a token in one layer and KV head"},
      self.level);
    v(ParameterInfo{.name = "symmetric",
                    .help = "Centre the quantizer on 0 instead of on the unit's mean"},
      self.symmetric);
    v(
        ParameterInfo{
            .name = "method",
            .help = "uniform steps, or the quantiles of a normal distribution (fixed bits only)"},
        self.method);
    v(ParameterInfo{.name = "outliers_ratio",
                    .help = "Share of a unit's values kept exactly, half at each end",
                    .min = 0,
                    .max = 0.999,
                    .slider_min = 0,
                    .slider_max = 0.1},
      self.outliers_ratio);
    v(ParameterInfo{.name = "use_attentions",
                    .help = "Choose bits by the error bound; off: n_bits_uniform for all"},
      self.use_attentions);
    v(ParameterInfo{.name = "n_bits_uniform",
                    .help = "Bits of every unit when use_attentions is off",
                    .unit = "bits",
                    .min = 0,
                    .max = 16},
      self.n_bits_uniform);
    v(ParameterInfo{.name = "last_n_attentions",
                    .help = "Attention window: values take the maximum over the last n rows; the "
                            "newest n-1 tokens get n_bits_max",
                    .unit = "rows",
                    .min = 1,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 64},
      self.last_n_attentions);
    v(ParameterInfo{.name = "target_quantization_error",
                    .help = "Error budget e of the bound; larger gives fewer bits",
                    .min = 1e-9,
                    .max = 1e9,
                    .log_scale = true,
                    .slider_min = 1e-3,
                    .slider_max = 30},
      self.target_quantization_error);
    v(ParameterInfo{.name = "n_bits_min",
                    .help = "Fewest bits that the bound may give",
                    .unit = "bits",
                    .min = 0,
                    .max = 16},
      self.n_bits_min);
    v(ParameterInfo{.name = "n_bits_max",
                    .help = "Most bits that the bound may give",
                    .unit = "bits",
                    .min = 0,
                    .max = 16},
      self.n_bits_max);
    if (side == CacheSide::key) {
      v(ParameterInfo{.name = "q_norm",
                      .help = "Assumed squared 2-norm of a query",
                      .min = 1e-9,
                      .max = 1e9,
                      .log_scale = true,
                      .slider_min = 10,
                      .slider_max = 10000},
        self.q_norm);
    }
  }
};

/// The policy `qaq`, variant *reference*: what the authors' code does.
struct QaqParams {
  QaqSideParams key;
  QaqSideParams value;
  GqaReduce gqa_reduce = GqaReduce::max;
  int dtype_bits = 16;
  OutlierIndex outlier_index = OutlierIndex::automatic;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v.section("key", [&](auto& inner) { QaqSideParams::visit(self.key, inner, CacheSide::key); });
    v.section("value",
              [&](auto& inner) { QaqSideParams::visit(self.value, inner, CacheSide::value); });
    v(ParameterInfo{.name = "gqa_reduce",
                    .help = "How a KV head sees the attention of the query heads that read it"},
      self.gqa_reduce);
    v(ParameterInfo{.name = "dtype_bits",
                    .help = "Bits that an unquantized number counts in nominal sizes (16 or 32); "
                            "never changes values",
                    .unit = "bits",
                    .min = 16,
                    .max = 32},
      self.dtype_bits);
    v(ParameterInfo{.name = "outlier_index",
                    .help = "How packed units tell their outliers: a list of places, a bitmap, or "
                            "the smaller of the two; never changes values"},
      self.outlier_index);
  }
};

/// Throws Error{usage} where parameters contradict each other: n_bits_min above n_bits_max, method
/// normal with use_attentions (the authors' code has no such case), dtype_bits other than 16 or 32.
void validate(const QaqParams& params);

}  // namespace qaq
