#include "views/plots/plot_message.h"

namespace qaq::views {

void PlotMessage::draw(QCPPainter* painter) {
  if (m_text.isEmpty()) return;
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->setPen(theme().muted);
  painter->drawText(frame().plot().adjusted(16, 8, -16, -8), Qt::AlignCenter | Qt::TextWordWrap,
                    m_text);
}

}  // namespace qaq::views
