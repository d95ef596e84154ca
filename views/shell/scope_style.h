#pragma once

#include <QProxyStyle>

namespace qaq::views {

/// Fusion with editors that stand out: their outlines take the palette's Dark colour (a theme's
/// `frame`), where Fusion's own vanish on a dark window;
/// signs grow with the screen's scale.
class ScopeStyle : public QProxyStyle {
  Q_OBJECT

 public:
  ScopeStyle();

  int pixelMetric(PixelMetric metric, const QStyleOption* option,
                  const QWidget* widget) const override;
  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
  void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
                          QPainter* painter, const QWidget* widget) const override;
};

}  // namespace qaq::views
