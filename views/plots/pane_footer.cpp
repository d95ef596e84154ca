#include "views/plots/pane_footer.h"

namespace qaq::views {

PaneFooter::PaneFooter(QCustomPlot* plot) : QCPLayoutElement(plot) {
  setSizeConstraintRect(scrOuterRect);
  setCompact(false);
}

void PaneFooter::setCompact(bool compact) {
  m_compact = compact;
  const int height = compact ? kCompactHeight : kHeight;
  setMinimumSize(0, height);
  setMaximumSize(QWIDGETSIZE_MAX, height);
}

}  // namespace qaq::views
