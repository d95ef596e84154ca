#include "app/scope/figure.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "app/scope/chart_figure.h"
#include "app/scope/provenance.h"
#include "app/scope/session_figure.h"
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
  slice.side = options.cache.value_or("value") == "key" ? CacheSide::key : CacheSide::value;
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

// What `figure` draws, of what, and the flags that say which part.
struct FigureView {
  const char* name;
  const char* files;
  void (*draw)(const FigureOptions&);
  bool many = false;  // files
  std::set<std::string_view> flags{};
};

void drawView(const FigureOptions& options) {
  const ScopeParams params = paramsOf(options.common);
  const auto capture = open_capture(options.files.front());
  const auto analysis =
      views::analyse({.capture = capture, .params = params, .prefix = options.common.prefix});
  const auto slice = views::loadSlice(analysis, sliceOf(options, *analysis));
  const views::FigureRenderer renderer(QString::fromStdString(options.view), slice,
                                       styleOf(options, provenanceText(*analysis)));
  renderer.save(QString::fromStdString(options.output));
}

const std::vector<FigureView>& figureViews() {
  static const std::vector<FigureView> kViews{
      {.name = "bits",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--preset", "--set", "--prefix"}},
      {.name = "outliers",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--cache", "--preset", "--set", "--prefix"}},
      {.name = "attention",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--query-head", "--preset", "--set", "--prefix"}},
      {.name = "bound",
       .files = "a capture",
       .draw = drawBound,
       .flags = {"--preset", "--set", "--prefix"}},
      {.name = "experiment", .files = "the NAME.json of qaq experiment", .draw = drawExperiment},
      {.name = "tradeoff",
       .files = "results files of qaq sweep, qaq evaluate or the authors",
       .draw = drawTradeoff,
       .many = true,
       .flags = {"--x", "--y"}},
  };
  return kViews;
}

const FigureView& viewOf(const FigureOptions& options) {
  return *std::ranges::find(figureViews(), options.view, &FigureView::name);
}

// A flag that a view does not know would change nothing, unnoticed.
void checkFlags(const FigureOptions& options) {
  const FigureView& view = viewOf(options);
  const std::vector<std::pair<const char*, bool>> given{
      {"--layer", options.layer.has_value()},
      {"--head", options.head.has_value()},
      {"--query-head", options.queryHead.has_value()},
      {"--cache", options.cache.has_value()},
      {"--x", options.x.has_value()},
      {"--y", options.y.has_value()},
      {"--preset", !options.common.preset.empty()},
      {"--set", !options.common.assignments.empty()},
      {"--prefix", options.common.prefix != 0},
      {"--page", options.page.has_value()},
      {"--format", !options.format.empty()}};
  for (const auto& [flag, is_given] : given) {
    if (!is_given || view.flags.contains(flag)) continue;
    refuse_usage(
        {.place = flag, .what = cat("is no flag of figure ", view.name), .cure = "leave it out"});
  }
  if (options.files.size() > 1 && !view.many) {
    refuse_usage({.place = options.files[1],
                  .what = cat("is one file too many for ", view.name),
                  .cure = cat("name ", view.files)});
  }
}

}  // namespace

CLI::App* addFigure(CLI::App& program, FigureOptions& options) {
  CLI::App* figure =
      program.add_subcommand("figure", "Draw a view or a chart into a file, without a display");
  std::vector<std::string> names;
  std::string files;
  for (const FigureView& view : figureViews()) {
    names.emplace_back(view.name);
    files += cat(files.empty() ? "" : "; ", view.name, ": ", view.files);
  }
  figure->add_option("view", options.view, "What to draw")->check(CLI::IsMember(names));
  figure->add_option("files", options.files, "Of what. " + files);
  figure->add_option(
      "--session", options.session,
      "Draw every view of a session's pages, as PAGE-VIEW.png into the folder DIR of "
      "-o DIR, in place of one view");
  figure->add_option("--page", options.page, "With --session: only this page, from 1");
  figure->add_option("--format", options.format, "With --session: png (the default) or pdf")
      ->check(CLI::IsMember({"png", "pdf"}));
  figure
      ->add_option("-o,--output", options.output,
                   "Where to write: a name that ends in .png or .pdf; of a session a folder")
      ->required();
  figure->add_option(
      "--layer", options.layer,
      "Layer of the model; left out: that with the most violations, else the middle one");
  figure->add_option("--head", options.head, "KV head");
  figure->add_option(
      "--query-head", options.queryHead,
      "Query head whose attention is shown; left out: the maximum over the KV head's");
  figure->add_option("--cache", options.cache, "key or value (the default), for outliers")
      ->check(CLI::IsMember({"key", "value"}));
  figure->add_option(
      "--x", options.x,
      "Metric across, for tradeoff; left out: the first of ratio_packed, "
      "ratio_nominal, ratio_paper, average_n_bits, average_size that all files have");
  figure->add_option("--y", options.y,
                     "Metric upwards, for tradeoff; left out: the first of kl_mean, accuracy, "
                     "perplexity, errors, same_top that all files have");
  figure->add_option("--scale", options.scale, "Dots a px in pictures")
      ->check(CLI::Range(1, 8))
      ->capture_default_str();
  addOptions(*figure, options.common);
  figure->footer(
      "Examples:\n"
      "  qaq-scope figure bits story.h5 -o bits.pdf --set target_quantization_error=0.03\n"
      "  qaq-scope figure attention story.h5 -o attention.png --layer 14 --head 1 --scale 2\n"
      "  qaq-scope figure experiment experiments/fig4.json -o fig4.pdf --theme dark\n"
      "  qaq-scope figure tradeoff results.json authors.json -o tradeoff.png --x average_n_bits\n"
      "  qaq-scope figure bound story.h5 -o bound.png --preset bound --prefix 64\n"
      "  qaq-scope figure --session story.qaqsession -o figures/ --format pdf");
  return figure;
}

void drawFigure(const FigureOptions& options) {
  if (!options.session.empty()) return drawSession(options);
  if (options.view.empty() || options.files.empty()) {
    refuse_usage({.place = options.view.empty() ? "view" : "files",
                  .what = "is required",
                  .cure = "give a view and its files, or --session; see qaq-scope figure --help"});
  }
  checkFlags(options);
  viewOf(options).draw(options);
}

}  // namespace qaq::scope
