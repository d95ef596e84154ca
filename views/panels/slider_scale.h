#pragma once

#include "core/base/parameters.h"

namespace qaq::views {

/// From a slider's steps to a parameter's values and back: linear, or in decades.
class SliderScale {
 public:
  static constexpr int kSteps = 1000;

  explicit SliderScale(const Parameter& parameter);
  static bool has(const Parameter& parameter);

  /// Whole for integers; else rounded to what a hand can set: two digits a decade, or a hundredth
  /// of the range.
  ParameterValue valueAt(int step) const;
  /// The nearest step; the ends for values beyond them, the lower one for auto.
  int stepOf(const ParameterValue& value) const;

 private:
  ParameterKind m_kind;
  bool m_log;
  double m_low;
  double m_high;
};

}  // namespace qaq::views
