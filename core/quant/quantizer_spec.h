#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/parameters.h"

namespace qaq {

/// What shares one scale and one n_bits: nothing is quantized, or a unit is a token, a token in one
/// layer, a token in one layer and KV head (the authors' `level`).
enum class Level { no_quantization, token, layer, head };
template <>
struct ChoiceNames<Level> {
  static constexpr std::array<std::string_view, 4> names{"no-quantization", "token", "layer",
                                                         "head"};
};

/// The authors' `method` (`method_name` in their result files): equal steps around the unit's mean,
/// or the quantiles of a normal distribution with the unit's mean and standard deviation.
enum class Method { uniform, normal };
template <>
struct ChoiceNames<Method> {
  static constexpr std::array<std::string_view, 2> names{"uniform", "normal"};
};

/// Where the codes of method uniform lie in a unit's range (sections 2.5 and 3 of the mathematics):
/// around the mean, clipped (the authors' code); in the middles of 2^b equal segments (their
/// paper); from the smallest to the largest value, both exact.
enum class RangeRule { mean_centred, midpoint, minmax };
template <>
struct ChoiceNames<RangeRule> {
  static constexpr std::array<std::string_view, 3> names{"mean_centred", "midpoint", "minmax"};
};

/// The number type of a unit's scale and base.
enum class StoreScale { f32, f16 };
template <>
struct ChoiceNames<StoreScale> {
  static constexpr std::array<std::string_view, 2> names{"f32", "f16"};
};

/// How a packed unit says which of its values are outliers: by a list of their places, by a bit for
/// each value, or by whichever is smaller.
enum class OutlierIndex { automatic, list, bitmap };
template <>
struct ChoiceNames<OutlierIndex> {
  static constexpr std::array<std::string_view, 3> names{"auto", "list", "bitmap"};
};

/// Which values of a unit are kept exactly: a share at each end (the authors' rule), or those that
/// lie more than so many standard deviations from the unit's mean.
enum class OutlierRule { quantile, nsigma };
template <>
struct ChoiceNames<OutlierRule> {
  static constexpr std::array<std::string_view, 2> names{"quantile", "nsigma"};
};

/// How the units of one cache are quantized, apart from their bits.
struct QuantizerSpec {
  Level level = Level::head;
  Method method = Method::uniform;
  RangeRule range_rule = RangeRule::mean_centred;
  StoreScale store_scale = StoreScale::f32;  ///< scale and base are rounded to it before use
  bool symmetric = false;                    ///< centred on 0, up to the largest magnitude
  OutlierRule outlier_rule = OutlierRule::quantile;
  double outliers_ratio = 0;  ///< quantile: share of a unit's values kept exactly, half at each end
  double n_sigma = 3;         ///< nsigma: deviations from the mean beyond which values are kept
  double max_outliers = 0.05;  ///< nsigma: the largest share of a unit's values that is kept
  OutlierIndex outlier_index = OutlierIndex::automatic;  ///< when packed; never changes values

  /// Numbers a unit stores beside its codes: a scale, and where it is centred unless that is 0.
  int n_extra() const { return symmetric ? 1 : 2; }
  /// Whether a unit may have any, so that packed units tell how many.
  bool may_have_outliers() const {
    return outlier_rule == OutlierRule::quantile ? outliers_ratio > 0 : max_outliers > 0;
  }
  /// Whether the same values of a unit are outliers.
  bool same_outliers(const QuantizerSpec& other) const {
    if (outlier_rule != other.outlier_rule) return false;
    if (outlier_rule == OutlierRule::quantile) return outliers_ratio == other.outliers_ratio;
    return n_sigma == other.n_sigma && max_outliers == other.max_outliers;
  }
};

}  // namespace qaq
