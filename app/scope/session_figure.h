#pragma once

#include "app/scope/figure.h"

namespace qaq::scope {

/// Draws every view of a session's pages into the folder options.output, which is made where it is
/// not there, as PAGE-VIEW.png or .pdf: PAGE is the page's title in small letters. A view that has
/// nothing to show is named on standard error and left out. Needs a QApplication. Throws Error: of
/// input where the session is refused, its capture is missing or nothing could be drawn.
void drawSession(const FigureOptions& options);

}  // namespace qaq::scope
