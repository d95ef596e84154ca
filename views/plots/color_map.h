#pragma once

#include <QColor>
#include <vector>

#include "views/plots/palette.h"

namespace qaq::views {

/// From a cell's value to its colour: bit widths in steps, or a table on a logarithmic range. A
/// small value, copied into the worker that makes a picture.
class ColorMap {
 public:
  ColorMap() = default;
  /// Widths from `exactFrom` on were left exact.
  static ColorMap bits(const Palette& palette, int exactFrom);
  /// `table` from `low` to `high`, both above 0; beyond them the ends' colours.
  static ColorMap logarithmic(const std::vector<QRgb>& table, double low, double high);

  QRgb operator()(float value) const;
  /// Cells of the same number look the same and may carry it as a numeral.
  bool isDiscrete() const { return m_discrete; }
  int exactFrom() const { return static_cast<int>(m_high); }
  double low() const { return m_low; }
  double high() const { return m_high; }
  const std::vector<QRgb>& table() const { return m_table; }

  friend bool operator==(const ColorMap&, const ColorMap&) = default;

 private:
  bool m_discrete = true;
  double m_low = 0;
  double m_high = 0;
  std::vector<QRgb> m_table;
};

}  // namespace qaq::views
