#pragma once

#include "app/scope/options.h"

namespace qaq::scope {

/// `qaq-scope figure VIEW CAPTURE -o FILE`: one view as a picture or page, with no display.
struct FigureOptions {
  Options common;
  std::string view;
  std::string output;
  std::optional<int> layer;  ///< model layer
  std::optional<int> head;   ///< KV head
  std::optional<int> queryHead;
  std::string cache = "value";
  double scale = 1;
};

CLI::App* addFigure(CLI::App& program, FigureOptions& options);

/// Needs a QApplication. Throws Error.
void drawFigure(const FigureOptions& options);

}  // namespace qaq::scope
