#pragma once

#include <string>

#include "core/policy/qaq_params.h"

namespace qaq {

/// QAQ as the authors' sweep sets it, keys and values alike: bits by attention at level head,
/// clamped to n_bits_min .. n_bits_max.
struct QaqSetting {
  double e = 1;  ///< target_quantization_error
  int n_bits_min = 1;
  int n_bits_max = 4;
  double outliers_ratio = 0.01;
  int window = 5;  ///< last_n_attentions
};
QaqParams qaq_params(const QaqSetting& setting);
/// "e 3 bits 1-4".
std::string name_of(const QaqSetting& setting);

/// The same number of bits for every unit, without attention: the flat baseline.
QaqParams flat_params(int n_bits, double outliers_ratio);
/// "1 bit", "2 bits".
std::string bits_text(int n_bits);

}  // namespace qaq
