#include "views/shell/scope_style.h"

#include <QPainter>
#include <QStyleOption>

#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr double kRadius = 2.5;

void drawOutline(const QStyleOption& option, QPainter* painter) {
  const bool focus = option.state.testFlag(QStyle::State_HasFocus);
  const bool enabled = option.state.testFlag(QStyle::State_Enabled);
  const QPalette::ColorRole role = focus     ? QPalette::Highlight
                                   : enabled ? QPalette::Dark
                                             : QPalette::Mid;
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setBrush(Qt::NoBrush);
  painter->setPen(QPen(option.palette.color(role), 1));
  painter->drawRoundedRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5), kRadius, kRadius);
  painter->restore();
}

}  // namespace

ScopeStyle::ScopeStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

int ScopeStyle::pixelMetric(PixelMetric metric, const QStyleOption* option,
                            const QWidget* widget) const {
  const int atDesk = QProxyStyle::pixelMetric(metric, option, widget);
  switch (metric) {
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
    case PM_ExclusiveIndicatorWidth:
    case PM_ExclusiveIndicatorHeight:
    case PM_ButtonIconSize:
    case PM_SmallIconSize:
    case PM_MenuButtonIndicator:
      return wholePx(atDesk);
    default:
      return atDesk;  // what layouts keep is scaled where it is kept
  }
}

void ScopeStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option,
                               QPainter* painter, const QWidget* widget) const {
  QProxyStyle::drawPrimitive(element, option, painter, widget);
  if (element == PE_FrameLineEdit || element == PE_IndicatorCheckBox) {
    drawOutline(*option, painter);
  }
}

void ScopeStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
                                    QPainter* painter, const QWidget* widget) const {
  QProxyStyle::drawComplexControl(control, option, painter, widget);
  if (control == CC_SpinBox || control == CC_ComboBox) drawOutline(*option, painter);
}

}  // namespace qaq::views
