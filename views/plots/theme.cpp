#include "views/plots/theme.h"

namespace qaq::views {
namespace {

Theme themeOf(ThemeKind kind) {
  const Palette& palette = Palette::of(kind);
  Theme theme;
  theme.kind = kind;
  theme.background = palette.single("background");
  theme.surface = palette.single("surface");
  theme.raised = palette.single("raised");
  theme.border = palette.single("border");
  theme.frame = palette.single("frame");
  theme.grid = palette.single("grid");
  theme.text = palette.single("text");
  theme.muted = palette.single("muted");
  theme.faint = palette.single("faint");
  theme.accent = palette.single("accent");
  theme.accentSoft = palette.single("accent_soft");
  theme.onAccent = palette.single("on_accent");
  theme.violation = palette.single("violation");
  theme.warning = palette.single("warning");
  theme.ok = palette.single("ok");
  theme.hatch = palette.single("hatch");
  theme.halo = palette.single("halo");
  theme.evicted = QColor(palette.evicted().fill);
  theme.evictedCross = QColor(palette.evicted().cross);
  return theme;
}

}  // namespace

const Theme& Theme::of(ThemeKind kind) {
  static const Theme light = themeOf(ThemeKind::light);
  static const Theme dark = themeOf(ThemeKind::dark);
  return kind == ThemeKind::light ? light : dark;
}

QFont Theme::font(int px, bool bold) {
  QFont font;
  font.setFamilies(
      {QStringLiteral("DejaVu Sans"), QStringLiteral("Noto Sans"), QStringLiteral("sans-serif")});
  font.setPixelSize(wholePx(px));
  font.setBold(bold);
  return font;
}

}  // namespace qaq::views
