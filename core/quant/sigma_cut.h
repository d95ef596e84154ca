#pragma once

#include <span>

#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_numbers.h"

namespace qaq {

/// Sets which of a unit's values are outliers by rule nsigma (low, high and the ties of `stats`):
/// those with |x - mu| > n_sigma sigma, mu and sigma the mean and the standard deviation (divisor
/// N) of all its values in float64; where these are more than floor(max_outliers N), the ones
/// farthest from mu, of equally far ones those at the lower places. None where sigma is 0, and by
/// |x - mu| <= sqrt(N - 1) sigma none where n_sigma is at least sqrt(N). Values are finite.
void set_sigma_cut(std::span<const float> values, const QuantizerSpec& spec, UnitStats& stats);

}  // namespace qaq
