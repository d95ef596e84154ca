#pragma once

#include <QColor>
#include <QFont>

#include "views/plots/palette.h"
#include "views/plots/px.h"

namespace qaq::views {

/// What a view needs to draw itself: the colours of one theme by their role, and the type sizes.
struct Theme {
  ThemeKind kind = ThemeKind::light;
  QColor background, surface, raised, border, frame, grid;
  QColor text, muted, faint;
  QColor accent, accentSoft, onAccent;
  QColor violation, warning, ok, hatch, halo;
  QColor evicted, evictedCross;

  static const Theme& of(ThemeKind kind);
  const Palette& palette() const { return Palette::of(kind); }

  // Sizes in px at 96 dpi, at a desk.
  static constexpr int kTitlePx = 13;
  static constexpr int kLabelPx = 12;
  static constexpr int kTickPx = 11;  ///< the smallest

  static constexpr double kPresented = 1.4;  ///< screenScale() of a presentation

  /// As large as the screen's scale makes `px`. DejaVu Sans: it has tabular digits and every sign
  /// that the views write.
  static QFont font(int px, bool bold = false);
};

}  // namespace qaq::views
