#pragma once

#include "views/models/analysis.h"
#include "views/plots/bits_legend.h"
#include "views/plots/forced_bracket.h"
#include "views/plots/map_pane.h"

namespace qaq::views {

/// The bit map of one cache: tokens along x, layers down with their KV heads as sub-rows.
class BitPane : public MapPane {
  Q_OBJECT

 public:
  explicit BitPane(CacheSide side, QWidget* parent = nullptr);

  CacheSide side() const { return m_side; }
  void show(const Analysis& analysis);
  void setTheme(const Theme& theme) override;

 private:
  QStringList subtitles(const Analysis& analysis) const;
  ColorMap colors() const;

  CacheSide m_side;
  BitsLegend* m_legend;
  ForcedBracket* m_bracket;
  std::shared_ptr<const Analysis::Side> m_shown;
  ThemeKind m_kind = ThemeKind::light;
  int m_exactFrom = 0;
  double m_nominal = 0;
};

/// "K" or "V".
QString sideLetter(CacheSide side);

}  // namespace qaq::views
