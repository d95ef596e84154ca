#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parameters.h"
#include "core/policy/adaptive_window.h"
#include "core/policy/eviction_params.h"
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

/// Whose mathematics decides the bits: the authors' code, their paper, or the bound that can be
/// checked (sections 2, 3 and 4 of the mathematics).
enum class Variant { reference, paper, bound };
template <>
struct ChoiceNames<Variant> {
  static constexpr std::array<std::string_view, 3> names{"reference", "paper", "bound"};
};

/// A RangeRule, or the variant's own: mean_centred of reference, midpoint of the others.
enum class RangeChoice { automatic, mean_centred, midpoint, minmax };
template <>
struct ChoiceNames<RangeChoice> {
  static constexpr std::array<std::string_view, 4> names{kAuto, "mean_centred", "midpoint",
                                                         "minmax"};
};

/// What variant bound promises of quantized keys: the error of a row of scores, of each score, or
/// of the output (section 4.2).
enum class BoundTarget { row, entry, output };
template <>
struct ChoiceNames<BoundTarget> {
  static constexpr std::array<std::string_view, 3> names{"row", "entry", "output"};
};

/// How bits follow from the error that a unit may make: by the formula, or by trying.
enum class BitsRule { formula, measured };
template <>
struct ChoiceNames<BitsRule> {
  static constexpr std::array<std::string_view, 2> names{"formula", "measured"};
};

/// What a unit's share of the error budget follows: the largest of the newest scores and a query
/// norm that is given or a quantile; or moving averages of both (section 9).
enum class Sensitivity { window, ema };
template <>
struct ChoiceNames<Sensitivity> {
  static constexpr std::array<std::string_view, 2> names{"window", "ema"};
};

/// How long a KV head's attention window is: last_n_attentions, or as its violations of persistence
/// ask for (section 9).
enum class WindowRule { fixed, adaptive };
template <>
struct ChoiceNames<WindowRule> {
  static constexpr std::array<std::string_view, 2> names{"fixed", "adaptive"};
};

/// Parameters of one cache, under the authors' names (arXiv 2403.04643 and their `Quantizer`), with
/// ours beside them.
struct QaqSideParams {
  Variant variant = Variant::reference;
  Level level = Level::head;
  bool symmetric = false;
  Method method = Method::uniform;
  RangeChoice range_rule = RangeChoice::automatic;
  StoreScale store_scale = StoreScale::f32;
  OutlierRule outlier_rule = OutlierRule::quantile;
  double outliers_ratio = 0.01;
  double n_sigma = 3;  // of outlier_rule nsigma, with max_outliers
  double max_outliers = 0.05;
  bool use_attentions = true;
  int n_bits_uniform = 2;
  int last_n_attentions = 5;
  double target_quantization_error = 1.0;
  int n_bits_min = 1;
  int n_bits_max = 8;
  BitsRule bits_rule = BitsRule::formula;
  std::int64_t horizon_tokens = 0;
  Sensitivity sensitivity = Sensitivity::window;
  double beta = 0.8;
  WindowRule window_rule = WindowRule::fixed;
  AdaptiveWindow adaptive{};
  RealOrAuto q_norm = 300.0;     ///< key only, as all below
  double q_norm_quantile = 0.9;  // of q_norm auto
  BoundTarget bound_target = BoundTarget::row;
  double v_max = 0.25;
  double z = 1.28;

  /// Rows of the attention window that the newest tokens are too young for: n - 1 of them get
  /// n_bits_max. A moving average has no such window, an adaptive one a length for each KV head.
  int fixed_window() const {
    return sensitivity == Sensitivity::ema || window_rule == WindowRule::adaptive
               ? 1
               : last_n_attentions;
  }
  bool has_adaptive_window() const {
    return use_attentions && sensitivity == Sensitivity::window &&
           window_rule == WindowRule::adaptive;
  }
  /// Of keys: whether a query's norm is measured rather than given.
  bool measures_q_norm() const { return !q_norm.number || sensitivity == Sensitivity::ema; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v, CacheSide side) {
    v(ParameterInfo{.name = "variant",
                    .help = "Whose bits: the authors' code (reference), their paper, or a bound "
                            "whose promise can be checked (see --check-bound)"},
      self.variant);
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
    v(ParameterInfo{.name = "range_rule",
                    .help = "Where the codes lie in a unit's range: around its mean and clipped, "
                            "in the middles of 2^b segments, or from its smallest to its largest "
                            "value; auto: mean_centred for reference, else midpoint"},
      self.range_rule);
    v(ParameterInfo{.name = "store_scale",
                    .help = "Number type of each unit's scale and base, which are rounded to it "
                            "before use"},
      self.store_scale);
    v(ParameterInfo{.name = "outlier_rule",
                    .help = "Which of a unit's values are kept exactly: outliers_ratio of them at "
                            "its ends, or those beyond n_sigma standard deviations of its mean"},
      self.outlier_rule);
    v(ParameterInfo{.name = "outliers_ratio",
                    .help = "Share of a unit's values kept exactly, half at each end",
                    .min = 0,
                    .max = 0.999,
                    .slider_min = 0,
                    .slider_max = 0.1},
      self.outliers_ratio);
    v(ParameterInfo{.name = "n_sigma",
                    .help = "outlier_rule nsigma: standard deviations of a unit (divisor N) beyond "
                            "which a value is kept exactly",
                    .min = 1e-6,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 6},
      self.n_sigma);
    v(ParameterInfo{.name = "max_outliers",
                    .help = "outlier_rule nsigma: largest share of a unit's values that is kept, "
                            "those farthest from its mean",
                    .min = 0,
                    .max = 0.999,
                    .slider_min = 0,
                    .slider_max = 0.2},
      self.max_outliers);
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
    v(ParameterInfo{.name = "bits_rule",
                    .help = "paper and bound: bits by the formula, or the fewest whose measured "
                            "error keeps the budget"},
      self.bits_rule);
    v(ParameterInfo{.name = "horizon_tokens",
                    .help = "bound: tokens that will follow and for which the promise shall hold "
                            "too",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1e6,
                    .slider_min = 0,
                    .slider_max = 1024},
      self.horizon_tokens);
    v(ParameterInfo{.name = "sensitivity",
                    .help = "What bits follow: the largest scores of the attention window and "
                            "q_norm; ema: moving averages of scores and, for keys, of query norms, "
                            "for which no token is too young"},
      self.sensitivity);
    v(ParameterInfo{.name = "beta",
                    .help = "Moving averages (sensitivity ema, importance ema and decayed_max): "
                            "what is kept from step to step",
                    .min = 0,
                    .max = 0.999999},
      self.beta);
    v(ParameterInfo{.name = "window_rule",
                    .help = "fixed: last_n_attentions rows; adaptive: as many for each KV head as "
                            "its jumps of importance ask for"},
      self.window_rule);
    AdaptiveWindow::visit(self.adaptive, v);
    if (side == CacheSide::key) {
      v(ParameterInfo{.name = "q_norm",
                      .help = "Assumed squared 2-norm of a query; auto: the q_norm_quantile of "
                              "the captured queries of each KV head, as paper and bound ask for",
                      .min = 1e-9,
                      .max = 1e9,
                      .log_scale = true,
                      .slider_min = 10,
                      .slider_max = 10000},
        self.q_norm);
      v(ParameterInfo{.name = "q_norm_quantile",
                      .help = "Share of the prefix's queries that q_norm auto covers",
                      .min = 0,
                      .max = 1,
                      .slider_min = 0.5,
                      .slider_max = 1},
        self.q_norm_quantile);
      v(ParameterInfo{.name = "bound_target",
                      .help = "bound: what target_quantization_error limits: the error of a row "
                              "of scores, of each score, or of the output"},
        self.bound_target);
      v(ParameterInfo{.name = "v_max",
                      .help = "bound: largest variance of a logit's error that is let through; "
                              "what lies beyond first order is paid for up to here",
                      .min = 1e-6,
                      .max = 4,
                      .log_scale = true,
                      .slider_min = 0.01,
                      .slider_max = 1},
        self.v_max);
      v(ParameterInfo{.name = "z",
                      .help = "sensitivity ema: standard deviations above the mean of the query "
                              "norms; 1.28 covers 90 % where they are normal",
                      .min = 0,
                      .max = 100,
                      .slider_min = 0,
                      .slider_max = 4},
        self.z);
    }
  }
};

/// The range rule that `range_rule` and `variant` mean.
RangeRule range_rule_of(const QaqSideParams& params);

/// The policy `qaq`.
struct QaqParams {
  QaqSideParams key;
  QaqSideParams value;
  GqaReduce gqa_reduce = GqaReduce::max;
  std::int64_t sparse_top_k = 0;
  int dtype_bits = 16;
  OutlierIndex outlier_index = OutlierIndex::automatic;
  int plan_stride = 1;
  int head_stride = 1;
  int block_size = 1;
  EvictionParams eviction{};

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v.section("key", [&](auto& inner) { QaqSideParams::visit(self.key, inner, CacheSide::key); });
    v.section("value",
              [&](auto& inner) { QaqSideParams::visit(self.value, inner, CacheSide::value); });
    v(ParameterInfo{.name = "gqa_reduce",
                    .help = "How a KV head sees the attention of the query heads that read it"},
      self.gqa_reduce);
    v(ParameterInfo{.name = "sparse_top_k",
                    .help = "Keys that a query attends to in the quantized cache, those with its "
                            "largest logits; no byte is saved, errors are against all keys; 0: all",
                    .unit = "keys",
                    .min = 0,
                    .max = 1e9,
                    .slider_min = 0,
                    .slider_max = 256},
      self.sparse_top_k);
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
    v(ParameterInfo{.name = "plan_stride",
                    .help = "Tokens from plan to plan; those behind the last plan stay unquantized "
                            "until the next",
                    .unit = "tokens",
                    .min = 1,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 64},
      self.plan_stride);
    v(ParameterInfo{.name = "head_stride",
                    .help =
                        "Of the query heads that share a KV head attention is read from one in so "
                        "many",
                    .unit = "heads",
                    .min = 1,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 8},
      self.head_stride);
    v(ParameterInfo{.name = "block_size",
                    .help = "So many tokens share the largest of their importances and one bit "
                            "width",
                    .unit = "tokens",
                    .min = 1,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 64},
      self.block_size);
    EvictionParams::visit(self.eviction, v);
  }
};

/// The struct that list_parameters() listed; what `parameters` do not name keeps its default.
/// Throws Error{usage} for a name or value that is none.
QaqParams qaq_params_of(const std::vector<Parameter>& parameters);

/// Throws Error{usage} where parameters contradict each other: n_bits_min above n_bits_max, method
/// normal with use_attentions (the authors' code has no such case) or with a range rule, bits_rule
/// measured without a variance to measure against, dtype_bits other than 16 or 32.
void validate(const QaqParams& params);

/// Throw Error{usage} where a setting evicts tokens, or leaves those behind the last plan exact,
/// and `what` ("qaq diagnose") does not follow that.
void refuse_eviction(const QaqParams& params, std::string_view what);
void refuse_plan_stride(const QaqParams& params, std::string_view what);
/// Throws Error{usage} where queries attend to some of the keys alone (sparse_top_k), which what is
/// asked for cannot follow: `why`.
void require_all_keys(const QaqParams& params, const std::string& why);

}  // namespace qaq
