#include "views/plots/plot_view.h"

namespace qaq::views {

PlotView::PlotView(SelectionModel* selection, QWidget* parent)
    : QWidget(parent), m_selection(selection) {}

}  // namespace qaq::views
