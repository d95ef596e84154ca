#pragma once

#include <QColor>
#include <vector>

#include "views/plots/palette.h"

namespace qaq::views {

/// From a cell's value to its colour: bit widths in steps, or a table over a range, linear or
/// logarithmic. A small value, copied into the worker that makes a picture.
class ColorMap {
 public:
  enum class Kind { bits, sequential, diverging };
  enum class Scale { linear, logarithmic };

  ColorMap() = default;
  /// Widths from `exactFrom` on were left exact.
  static ColorMap bits(const Palette& palette, int exactFrom);
  /// `table` from `low` to `high`; beyond them the ends' colours.
  static ColorMap linear(const std::vector<QRgb>& table, double low, double high);
  /// The same by the logarithm: both above 0.
  static ColorMap logarithmic(const std::vector<QRgb>& table, double low, double high);
  /// The middle of `table` at `centre`, its ends equally far: at centre − reach and centre + reach;
  /// or, for ratios, on a logarithmic scale, at centre / reach and centre · reach.
  static ColorMap diverging(const std::vector<QRgb>& table, double centre, double reach,
                            Scale scale = Scale::linear);
  /// The same scale in other colours.
  ColorMap withTable(const std::vector<QRgb>& table) const;

  QRgb operator()(float value) const;
  Kind kind() const { return m_kind; }
  Scale scale() const { return m_scale; }
  /// Cells of the same number look the same and carry it as a numeral.
  bool isDiscrete() const { return m_kind == Kind::bits; }
  int exactFrom() const { return static_cast<int>(m_high); }
  double low() const { return m_low; }
  double high() const { return m_high; }
  /// Where a value lies between low (0) and high (1); outside it goes on.
  double position(double value) const;
  const std::vector<QRgb>& table() const { return m_table; }

  friend bool operator==(const ColorMap&, const ColorMap&) = default;

 private:
  ColorMap(Kind kind, Scale scale, double low, double high, const std::vector<QRgb>& table);

  Kind m_kind = Kind::bits;
  Scale m_scale = Scale::linear;
  double m_low = 0;
  double m_high = 0;
  std::vector<QRgb> m_table;
  std::vector<float> m_bounds;  ///< from m_bounds[i] on m_table[i + 1]; filled up to 2^k - 1
};

}  // namespace qaq::views
