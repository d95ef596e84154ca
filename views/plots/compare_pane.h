#pragma once

#include "views/models/compared_maps.h"
#include "views/plots/bits_legend.h"
#include "views/plots/color_bar.h"
#include "views/plots/forced_bracket.h"
#include "views/plots/map_pane.h"
#include "views/plots/swipe_handle.h"

namespace qaq::views {

/// A, B or B - A of one map, or A left and B right of a divider. A and B have one range of colours;
/// the difference diverges about 0, and its legend counts which way cells went.
class ComparePane : public MapPane {
  Q_OBJECT

 public:
  enum class Role { a, b, difference, swipe };

  explicit ComparePane(Role role, QWidget* parent = nullptr);

  Role role() const { return m_role; }
  void show(const SharedComparedMaps& maps);
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  bool isSettled() const override;
  /// Of swipe; null in the others.
  SwipeHandle* handle() const { return m_handle; }

 private:
  const SharedAnalysis& analysis(Role role) const;
  void addSwipe();
  void showSwipe();
  QString quantity() const;
  QStringList subtitles() const;
  ColorMap colors(Role role) const;
  double evictedShare() const;
  void showLegend();
  void showAxes();
  QString whyEmpty() const;

  Role m_role;
  BitsLegend* m_bits;
  ColorBar* m_bar;
  ForcedBracket* m_bracket;
  HeatmapPlottable* m_left = nullptr;  ///< of swipe: A
  SwipeDivider* m_divider = nullptr;
  SwipeHandle* m_handle = nullptr;
  SharedComparedMaps m_maps;
  ThemeKind m_kind = ThemeKind::light;
};

}  // namespace qaq::views
