#pragma once

#include <utility>
#include <vector>

#include "app/scope/options.h"

namespace qaq::scope {

/// `qaq-scope figure VIEW FILE -o FILE`: a view or a chart as a picture or page, with no display;
/// `qaq-scope figure --session S -o DIR/`: every view of a session's pages.
struct FigureOptions {
  Options common;
  std::string view;
  std::vector<std::string> files;
  std::string session;       ///< a session's file, in place of view and files
  std::optional<int> page;   ///< of the session, from 1
  std::string format;        ///< of a session's figures: png (where empty) or pdf
  std::string output;        ///< of a session a folder
  std::optional<int> layer;  ///< model layer
  std::optional<int> head;   ///< KV head
  std::optional<int> queryHead;
  std::optional<std::string> cache;    ///< key or value; left out: value
  std::optional<std::string> reducer;  ///< min, max or mean; left out: the view's own
  std::optional<std::string> colors;   ///< viridis or cividis; left out: viridis
  bool whole = false;                  ///< persistence: of all layers and heads
  std::optional<std::string> error;    ///< errors: which the map shows; left out: value
  std::string cell;                    ///< key|value,LAYER,KV_HEAD,TOKEN, of a formula
  std::optional<std::string> scope;    ///< of distributions: head, layer or capture
  std::optional<std::string> count;    ///< of memory: packed or nominal
  std::optional<std::string> of;       ///< view whose rows a table shows; left out: bits
  std::optional<std::string> against;  ///< A, FILE or FILE#RUN, where the file is B
  std::optional<std::string> x, y;     ///< metrics of a trade-off
  std::string model;                   ///< of a diagnosis: a known name, a file or a folder
  std::optional<int> step;             ///< of a diagnosis; left out: the first that diverged
  double scale = 1;
};

/// Each flag that says what a view draws, and whether it was given; one list for every refusal.
std::vector<std::pair<const char*, bool>> drawingFlags(const FigureOptions& options);

CLI::App* addFigure(CLI::App& program, FigureOptions& options);

/// Needs a QApplication. Throws Error.
void drawFigure(const FigureOptions& options);

}  // namespace qaq::scope
