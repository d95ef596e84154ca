#pragma once

#include <QStringList>
#include <memory>

#include "views/plots/plot_view.h"

namespace qaq::views {

/// All views by their id, in the order in which they are numbered: the list that the window,
/// `figure` and the tests of every view share.
QStringList viewIds();

/// Throws Error{usage}, with the names that there are, for another id.
std::unique_ptr<PlotView> makeView(const QString& id, SelectionModel* selection);

}  // namespace qaq::views
