#include "app/scope/figure.h"

#include <algorithm>

#include "app/scope/provenance.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/capture_file.h"
#include "views/plots/figure_renderer.h"

namespace qaq::scope {
namespace {

int layerIndex(const CaptureInfo& info, int layer) {
  const auto found = std::find(info.layers.begin(), info.layers.end(), layer);
  if (found != info.layers.end()) return static_cast<int>(found - info.layers.begin());
  std::string captured;
  for (const std::int32_t l : info.layers)
    captured += (captured.empty() ? "" : ", ") + std::to_string(l);
  refuse_usage({.place = "--layer",
                .what = cat("layer ", layer, " was not captured"),
                .cure = "choose one of " + captured});
}

int checkedHead(const char* flag, int head, std::int64_t count) {
  if (head >= 0 && head < count) return head;
  refuse_usage({.place = flag,
                .what = cat("there is no head ", head),
                .cure = cat("choose one from 0 to ", count - 1)});
}

views::Slice sliceOf(const FigureOptions& options, const views::Analysis& analysis) {
  const CaptureInfo& info = analysis.capture->info();
  views::Slice slice = views::defaultSlice(analysis);
  slice.side = options.cache == "key" ? CacheSide::key : CacheSide::value;
  if (options.layer) slice.layer = layerIndex(info, *options.layer);
  if (options.head) slice.kvHead = checkedHead("--head", *options.head, info.shape.n_kv_heads);
  if (options.queryHead) {
    slice.queryHead = checkedHead("--query-head", *options.queryHead, info.shape.n_heads);
    slice.kvHead = slice.queryHead / static_cast<int>(info.shape.group_size());
    if (options.head && *options.head != slice.kvHead) {
      refuse_usage(
          {.place = "--query-head",
           .what = cat("query head ", slice.queryHead, " does not read KV head ", *options.head),
           .cure = cat("give --head ", slice.kvHead, " or leave it out")});
    }
  }
  return slice;
}

}  // namespace

CLI::App* addFigure(CLI::App& program, FigureOptions& options) {
  CLI::App* figure =
      program.add_subcommand("figure", "Draw one view into a file, without a display");
  figure->add_option("view", options.view, "bits, outliers or attention")
      ->required()
      ->check(CLI::IsMember({"bits", "outliers", "attention"}));
  figure->add_option("capture", options.common.capture, "The capture file")->required();
  figure
      ->add_option("-o,--output", options.output,
                   "Where to write: a name that ends in .png or .pdf")
      ->required();
  figure->add_option(
      "--layer", options.layer,
      "Layer of the model; left out: that with the most violations, else the middle one");
  figure->add_option("--head", options.head, "KV head");
  figure->add_option(
      "--query-head", options.queryHead,
      "Query head whose attention is shown; left out: the maximum over the KV head's");
  figure->add_option("--cache", options.cache, "key or value, for outliers")
      ->check(CLI::IsMember({"key", "value"}))
      ->capture_default_str();
  figure->add_option("--scale", options.scale, "Dots a px in pictures")
      ->check(CLI::Range(1, 8))
      ->capture_default_str();
  addOptions(*figure, options.common);
  figure->footer(
      "Examples:\n"
      "  qaq-scope figure bits story.h5 -o bits.pdf --set target_quantization_error=0.03\n"
      "  qaq-scope figure attention story.h5 -o attention.png --layer 14 --head 1 --scale 2");
  return figure;
}

void drawFigure(const FigureOptions& options) {
  const ScopeParams params = paramsOf(options.common);
  const auto size = sizeOf(options.common);
  const auto capture = open_capture(options.common.capture);
  const auto analysis =
      views::analyse({.capture = capture, .params = params, .prefix = options.common.prefix});
  const auto slice = views::loadSlice(analysis, sliceOf(options, *analysis));
  const views::FigureRenderer renderer(
      QString::fromStdString(options.view), slice,
      {.theme = themeOf(options.common),
       .size = size.value_or(QSize()),
       .scale = options.scale,
       .provenance = QString::fromStdString(provenanceText(*analysis))});
  renderer.save(QString::fromStdString(options.output));
}

}  // namespace qaq::scope
