#include "views/panels/slider_scale.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace qaq::views {
namespace {

/// `value` with so many significant digits, as the double that the decimal number reads as.
double rounded(double value, int digits) {
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits);
  double out = value;
  std::from_chars(text, end.ptr, out);
  return out;
}

}  // namespace

SliderScale::SliderScale(const Parameter& parameter)
    : m_kind(parameter.kind),
      m_log(parameter.info.log_scale),
      m_low(parameter.info.slider_min),
      m_high(parameter.info.slider_max) {}

bool SliderScale::has(const Parameter& parameter) {
  const bool number = parameter.kind == ParameterKind::integer ||
                      parameter.kind == ParameterKind::real ||
                      parameter.kind == ParameterKind::real_or_auto;
  return number && parameter.info.slider_max > parameter.info.slider_min;
}

ParameterValue SliderScale::valueAt(int step) const {
  const double share = static_cast<double>(step) / kSteps;
  double value = m_log ? m_low * std::pow(m_high / m_low, share) : m_low + share * (m_high - m_low);
  if (m_kind == ParameterKind::integer) return static_cast<std::int64_t>(std::llround(value));
  if (m_log) {
    value = rounded(value, 2);
  } else {
    value = rounded(m_low + std::round(share * 100) * (m_high - m_low) / 100, 6);
  }
  return std::clamp(value, m_low, m_high);
}

int SliderScale::stepOf(const ParameterValue& value) const {
  if (std::holds_alternative<std::string>(value)) return 0;  // auto
  const auto* whole = std::get_if<std::int64_t>(&value);
  const double number = whole ? static_cast<double>(*whole) : std::get<double>(value);
  const double clamped = std::clamp(number, m_low, m_high);
  const double share = m_log ? std::log(clamped / m_low) / std::log(m_high / m_low)
                             : (clamped - m_low) / (m_high - m_low);
  return static_cast<int>(std::lround(share * kSteps));
}

}  // namespace qaq::views
