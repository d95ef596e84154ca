#include "views/commands/palette_delegate.h"

#include <QPainter>

#include "views/commands/palette_model.h"

namespace qaq::views {
namespace {

constexpr Px<int> kPad{8}, kGap{12};

}  // namespace

void PaletteDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                            const QModelIndex& index) const {
  const auto* model = static_cast<const PaletteModel*>(index.model());
  const PaletteEntry& entry = model->entry(index.row());
  painter->save();
  if (option.state & QStyle::State_Selected) painter->fillRect(option.rect, m_theme.accentSoft);
  const QRect inside = option.rect.adjusted(kPad, 3, -kPad, -3);
  const QRect upper = inside.adjusted(0, 0, 0, -inside.height() / 2);
  const QRect lower = inside.adjusted(0, inside.height() / 2, 0, 0);
  const QFont label = Theme::font(Theme::kLabelPx), small = Theme::font(Theme::kTickPx);

  painter->setFont(label);
  painter->setPen(m_theme.muted);
  painter->drawText(upper, Qt::AlignRight | Qt::AlignVCenter, entry.shortcut);
  const int taken =
      entry.shortcut.isEmpty() ? 0 : QFontMetrics(label).horizontalAdvance(entry.shortcut) + kGap;
  const bool selected = option.state.testFlag(QStyle::State_Selected);
  const QColor& disabled = selected ? m_theme.muted : m_theme.faint;
  painter->setPen(entry.enabled ? m_theme.text : disabled);
  painter->drawText(
      upper, Qt::AlignLeft | Qt::AlignVCenter,
      QFontMetrics(label).elidedText(entry.text, Qt::ElideRight, upper.width() - taken));
  painter->setFont(small);
  painter->setPen(entry.enabled ? m_theme.muted : m_theme.warning);
  painter->drawText(lower, Qt::AlignLeft | Qt::AlignVCenter,
                    QFontMetrics(small).elidedText(entry.detail, Qt::ElideRight, lower.width()));
  painter->restore();
}

QSize PaletteDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const {
  return {0, kHeight};
}

}  // namespace qaq::views
