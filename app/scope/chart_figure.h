#pragma once

#include "app/scope/figure.h"
#include "views/plots/figure_page.h"

namespace qaq::scope {

/// How the flags want a figure drawn. Throws Error{usage}.
views::FigureStyle styleOf(const FigureOptions& options, const std::string& provenance);

// Charts. All need a QApplication and throw Error.

/// Of the JSON document of `qaq experiment`.
void drawExperiment(const FigureOptions& options);
/// Of results files, ours and the authors'.
void drawTradeoff(const FigureOptions& options);
/// Of a capture: what was promised under the parameters, at a tenth to ten times their targets,
/// against what is achieved.
void drawBound(const FigureOptions& options);

}  // namespace qaq::scope
