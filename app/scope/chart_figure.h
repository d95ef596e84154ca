#pragma once

#include "app/scope/figure.h"
#include "views/plots/figure_page.h"

namespace qaq::scope {

/// How the flags want a figure drawn. Throws Error{usage}.
views::FigureStyle styleOf(const FigureOptions& options, const std::string& provenance);

// Charts. All need a QApplication and throw Error.

/// Of the JSON document of `qaq experiment`.
void drawExperiment(const FigureOptions& options);

}  // namespace qaq::scope
