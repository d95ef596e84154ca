#pragma once

#include <QColor>
#include <QJsonObject>
#include <QString>
#include <vector>

#include "core/analysis/maps.h"

namespace qaq::views {

enum class ThemeKind { light, dark };
/// The two scales of values to choose from; cividis reads the same for all forms of colour
/// blindness.
enum class ValueColors { viridis, cividis };

/// The colour scales, as palettes.json gives them: bits in steps (more bits, more ink), values from
/// viridis or cividis, differences diverging, series by category. One object a theme, made at first
/// use.
class Palette {
 public:
  static const Palette& of(ThemeKind kind);

  static constexpr int kWidestBits = qaq::kWidestBits;

  /// Colour of a bit width 0..16; wider is exact.
  QRgb bits(int width) const;
  QRgb exact() const { return m_bits.back(); }
  /// What has been evicted: crosses of `cross` on `fill`, the end of the order of bits.
  struct Evicted {
    QRgb fill = 0;
    QRgb cross = 0;
    bool operator==(const Evicted&) const = default;
  };
  const Evicted& evicted() const { return m_evicted; }
  /// Numerals on that colour: dark on light, light on dark.
  static QColor inkOn(QRgb background);
  const std::vector<QRgb>& viridis() const { return m_viridis; }
  const std::vector<QRgb>& cividis() const { return m_cividis; }
  const std::vector<QRgb>& values(ValueColors colors) const {
    return colors == ValueColors::viridis ? m_viridis : m_cividis;
  }
  const std::vector<QRgb>& diverging() const { return m_diverging; }
  /// What tells series of a chart apart: colour and sign, for prints in grey.
  struct Category {
    QRgb color = 0;
    QString marker;  ///< "disc", "square", "triangle_up", "diamond", "triangle_down", ...
  };
  const std::vector<Category>& categories() const { return m_categories; }
  /// A single colour by its name in palettes.json ("surface", "accent", "violation" ...).
  QColor single(const char* name) const;

 private:
  explicit Palette(ThemeKind kind);

  std::vector<QRgb> m_bits;  ///< 0..16, exact
  Evicted m_evicted;
  std::vector<QRgb> m_viridis;
  std::vector<QRgb> m_cividis;
  std::vector<QRgb> m_diverging;
  std::vector<Category> m_categories;
  QJsonObject m_single;
};

}  // namespace qaq::views
