#pragma once

#include "views/models/compared_maps.h"
#include "views/plots/bits_legend.h"
#include "views/plots/color_bar.h"
#include "views/plots/forced_bracket.h"
#include "views/plots/map_pane.h"

namespace qaq::views {

/// A, B or B - A of one map. A and B have one range of colours; the difference diverges about 0,
/// and its legend counts which way cells went.
class ComparePane : public MapPane {
  Q_OBJECT

 public:
  enum class Role { a, b, difference };

  explicit ComparePane(Role role, QWidget* parent = nullptr);

  Role role() const { return m_role; }
  void show(const SharedComparedMaps& maps);
  void setTheme(const Theme& theme) override;

 private:
  const SharedAnalysis& analysis() const;
  QString quantity() const;
  QStringList subtitles() const;
  ColorMap colors() const;
  void showLegend();
  void showAxes();
  QString whyEmpty() const;

  Role m_role;
  BitsLegend* m_bits;
  ColorBar* m_bar;
  ForcedBracket* m_bracket;
  SharedComparedMaps m_maps;
  ThemeKind m_kind = ThemeKind::light;
};

}  // namespace qaq::views
