#include "app/scope/figure.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>

#include "app/scope/chart_figure.h"
#include "app/scope/diagnosis_service.h"
#include "app/scope/session_figure.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/captured_layers.h"
#include "data/capture/capture_file.h"
#include "data/capture/run_name.h"
#include "views/models/provenance.h"
#include "views/models/reference.h"
#include "views/plots/compare_view.h"
#include "views/plots/distribution_view.h"
#include "views/plots/error_view.h"
#include "views/plots/figure_renderer.h"
#include "views/plots/memory_view.h"
#include "views/plots/overlay_view.h"
#include "views/plots/persistence_view.h"
#include "views/plots/table_view.h"

namespace qaq::scope {
namespace {

int layerIndex(const char* flag, const CaptureInfo& info, int layer) {
  if (const auto index = captured_index(info.layers, layer)) return *index;
  refuse_usage({.place = flag,
                .what = cat("layer ", layer, " was not captured"),
                .cure = "choose one of " + layer_list(info.layers)});
}

int checkedHead(const char* flag, int head, std::int64_t count) {
  if (head >= 0 && head < count) return head;
  refuse_usage({.place = flag,
                .what = cat("there is no head ", head),
                .cure = cat("choose one from 0 to ", count - 1)});
}

// One of an enum's names, which the flag's check let through.
template <class Enum>
Enum choiceOf(const std::string& name) {
  const auto& names = ChoiceNames<Enum>::names;
  return static_cast<Enum>(std::ranges::find(names, name) - names.begin());
}

views::Slice sliceOf(const FigureOptions& options, const views::Analysis& analysis) {
  const CaptureInfo& info = analysis.capture->info();
  views::Slice slice = views::defaultSlice(analysis);
  slice.side = options.cache.value_or("value") == "key" ? CacheSide::key : CacheSide::value;
  if (options.layer) slice.layer = layerIndex("--layer", info, *options.layer);
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

void preparePersistence(const FigureOptions& options, const views::Analysis&,
                        views::PlotView& view) {
  dynamic_cast<views::PersistenceView&>(view).setWhole(options.whole);
}

void prepareErrors(const FigureOptions& options, const views::Analysis& analysis,
                   views::PlotView& view) {
  if (!options.error) return;
  const auto which =
      static_cast<ErrorOf>(std::ranges::find(ChoiceNames<ErrorOf>::names, *options.error) -
                           ChoiceNames<ErrorOf>::names.begin());
  if (!has_errors(*analysis.replay, which)) {
    refuse_input({.file = analysis.capture->info().name,
                  .place = "--error",
                  .what = cat("the capture lacks what errors of ", *options.error, " need"),
                  .cure = "capture again with queries and --attention derive, or choose key or "
                          "value"});
  }
  dynamic_cast<views::ErrorView&>(view).setShown(which);
}

// The cell that --cell names, by the place of its layer.
std::optional<views::Cursor> lockedCell(const FigureOptions& options, const CaptureInfo& info) {
  std::optional<views::Cursor> cell = cellOf(options.cell);
  if (!cell) return cell;
  cell->layer = layerIndex("--cell", info, cell->layer);
  checkedHead("--cell", cell->kvHead, info.shape.n_kv_heads);
  if (cell->token >= info.n_tokens) {
    refuse_usage({.place = "--cell",
                  .what = cat("there is no token ", cell->token),
                  .cure = cat("choose one from 0 to ", info.n_tokens - 1)});
  }
  return cell;
}

void prepareDistributions(const FigureOptions& options, const views::Analysis&,
                          views::PlotView& view) {
  if (!options.scope) return;
  dynamic_cast<views::DistributionView&>(view).setScope(
      choiceOf<DistributionScope>(*options.scope));
}

void prepareMemory(const FigureOptions& options, const views::Analysis&, views::PlotView& view) {
  if (!options.count) return;
  dynamic_cast<views::MemoryView&>(view).setAccounting(choiceOf<Accounting>(*options.count));
}

void prepareTable(const FigureOptions& options, const views::Analysis&, views::PlotView& view) {
  if (!options.of) return;
  dynamic_cast<views::TableView&>(view).setSource(QString::fromStdString(*options.of));
}

void prepareFormula(const FigureOptions& options, const views::Analysis&, views::PlotView&) {
  if (!options.cell.empty()) return;
  refuse_usage({.place = "--cell",
                .what = "is missing: a formula is of one cell",
                .cure = "give key|value,LAYER,KV_HEAD,TOKEN, as in value,14,1,56"});
}

void requireAgainst(const FigureOptions& options) {
  if (options.against) return;
  refuse_usage({.place = "--against",
                .what = cat("is missing: ", options.view, " shows B against A"),
                .cure = "give FILE#RUN, or FILE, as in --against story.h5"});
}

void prepareCompare(const FigureOptions& options, const views::Analysis&, views::PlotView& view) {
  requireAgainst(options);
  if (!options.of) return;
  const auto& names = ChoiceNames<views::CompareOf>::names;
  if (std::ranges::find(names, *options.of) == names.end()) {
    refuse_usage({.place = "--of",
                  .what = cat("compare has no '", *options.of, "'"),
                  .cure = "choose bits, magnitude or attention"});
  }
  dynamic_cast<views::CompareView&>(view).setOf(choiceOf<views::CompareOf>(*options.of));
}

void prepareOverlay(const FigureOptions& options, const views::Analysis&, views::PlotView& view) {
  requireAgainst(options);
  auto& overlay = dynamic_cast<views::OverlayView&>(view);
  if (options.error) overlay.setOf(choiceOf<views::OverlayOf>(*options.error));
  if (!options.of) return;
  if (*options.of != "numbers" || options.error) {
    refuse_usage({.place = "--of",
                  .what = options.error ? "does not go with --error"
                                        : cat("overlay has no '", *options.of, "'"),
                  .cure = "give --error for lines, or --of numbers alone"});
  }
  overlay.setOf(views::OverlayOf::numbers);
}

void prepareDelta(const FigureOptions& options, const views::Analysis&, views::PlotView&) {
  requireAgainst(options);
}

void prepareDiagnosis(const FigureOptions& options, const views::Analysis&, views::PlotView&) {
  if (!options.model.empty()) return;
  refuse_usage({.place = "--model",
                .what = cat("is missing: ", options.view, " is found out by running the model"),
                .cure = "give a known name, a file or a folder, as in --model smollm2-135m"});
}

// What `figure` draws, of what, and the flags that say which part.
struct FigureView {
  const char* name;
  const char* files;
  void (*draw)(const FigureOptions&);
  bool many = false;  // files
  std::set<std::string_view> flags{};
  // Sets a view's own switches.
  void (*prepare)(const FigureOptions&, const views::Analysis&, views::PlotView&) = nullptr;
};

const FigureView& viewOf(const FigureOptions& options);

// What --against names, replayed: its setting is told as the window tells it.
views::AgainstRequest againstOf(const FigureOptions& options, const RunName& shown,
                                const views::Analysis& analysis) {
  const RunName name = parse_run_name(*options.against);
  const bool ofOne = name.file == shown.file;
  const std::string file = std::filesystem::path(name.file).filename().string();
  views::Reference a{.kind = ofOne ? views::Reference::Kind::whole : views::Reference::Kind::shown,
                     .label = QString::fromStdString(ofOne ? "the whole cache" : file),
                     .capture = ofOne ? analysis.capture : open_capture(name.file),
                     .params = analysis.params};
  if (!name.run.empty()) {
    a.kind = views::Reference::Kind::setting;
    a.label = QString::fromStdString(ofOne ? name.run : cat(file, "#", name.run));
    takeRun(name, {}, a.params, a.prefix);
  }
  return {a.label, views::analyse(a.request(analysis.params, analysis.replay->prefix))};
}

// The slice with the diagnosis of its setting.
views::SharedSlice diagnosed(const FigureOptions& options, const std::string& path,
                             const views::SharedSlice& slice) {
  const views::Analysis& analysis = *slice->analysis;
  views::DiagnosisForm form = views::diagnosisForm(analysis.capture->info());
  form.model = QString::fromStdString(options.model);
  form.step = options.step;
  if (options.common.prefix > 0) form.prefix = static_cast<int>(options.common.prefix);
  auto out = std::make_shared<views::SliceMaps>(*slice);
  out->diagnosis = diagnosisMaker().make({.form = form,
                                          .capture = analysis.capture,
                                          .path = QString::fromStdString(path),
                                          .params = analysis.params},
                                         {});
  return out;
}

void drawView(const FigureOptions& options) {
  ScopeParams params = paramsOf(options.common);
  std::int64_t prefix = options.common.prefix;
  const RunName name = parse_run_name(options.files.front());
  if (!name.run.empty()) takeRun(name, options.common, params, prefix);
  const auto capture = open_capture(name.file);
  const auto analysis = views::analyse({.capture = capture, .params = params, .prefix = prefix});
  views::AgainstRequest against;
  if (options.against) against = againstOf(options, name, *analysis);
  auto slice = views::loadSlice(analysis, sliceOf(options, *analysis), {}, against);
  if (const auto both = views::compared(slice)) slice = both;
  if (!options.model.empty()) slice = diagnosed(options, name.file, slice);
  const auto prepare = [&](views::PlotView& view) {
    if (const auto own = viewOf(options).prepare) own(options, *analysis, view);
  };
  views::FigureRenderer renderer(QString::fromStdString(options.view), slice,
                                 styleOf(options, views::provenanceText(*slice)),
                                 lockedCell(options, capture->info()), prepare);
  for (const Reducer reducer : {Reducer::max, Reducer::min, Reducer::mean}) {
    if (options.reducer == name_of(reducer)) renderer.setReducer(reducer);
  }
  if (options.colors == "cividis") renderer.setValueColors(views::ValueColors::cividis);
  renderer.save(QString::fromStdString(options.output));
}

const std::vector<FigureView>& figureViews() {
  static const std::vector<FigureView> kViews{
      {.name = "bits",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--reducer", "--policy", "--preset", "--set", "--prefix"}},
      {.name = "outliers",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--cache", "--reducer", "--colors", "--policy", "--preset",
                 "--set", "--prefix"}},
      {.name = "attention",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--query-head", "--reducer", "--colors", "--policy",
                 "--preset", "--set", "--prefix"}},
      {.name = "persistence",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--query-head", "--whole", "--policy", "--preset", "--set",
                 "--prefix"},
       .prepare = preparePersistence},
      {.name = "errors",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--error", "--policy", "--preset", "--set", "--prefix"},
       .prepare = prepareErrors},
      {.name = "distributions",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--cache", "--scope", "--policy", "--preset", "--set",
                 "--prefix"},
       .prepare = prepareDistributions},
      {.name = "memory",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--count", "--policy", "--preset", "--set", "--prefix"},
       .prepare = prepareMemory},
      {.name = "formula",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--cell", "--policy", "--preset", "--set", "--prefix"},
       .prepare = prepareFormula},
      {.name = "tokens",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--layer", "--head", "--query-head", "--policy", "--preset", "--set", "--prefix"}},
      {.name = "table",
       .files = "a capture",
       .draw = drawView,
       .flags = {"--of", "--layer", "--head", "--query-head", "--cache", "--policy", "--preset",
                 "--set", "--prefix"},
       .prepare = prepareTable},
      {.name = "compare",
       .files = "a capture, with --against",
       .draw = drawView,
       .flags = {"--against", "--of", "--layer", "--head", "--query-head", "--cache", "--reducer",
                 "--colors", "--policy", "--preset", "--set", "--prefix"},
       .prepare = prepareCompare},
      {.name = "overlay",
       .files = "a capture, with --against",
       .draw = drawView,
       .flags = {"--against", "--error", "--of", "--layer", "--head", "--cache", "--policy",
                 "--preset", "--set", "--prefix"},
       .prepare = prepareOverlay},
      {.name = "delta",
       .files = "a capture, with --against",
       .draw = drawView,
       .flags = {"--against", "--policy", "--preset", "--set", "--prefix"},
       .prepare = prepareDelta},
      {.name = "broke",
       .files = "a capture, with --model",
       .draw = drawView,
       .flags = {"--model", "--step", "--policy", "--preset", "--set", "--prefix"},
       .prepare = prepareDiagnosis},
      {.name = "where",
       .files = "a capture, with --model",
       .draw = drawView,
       .flags = {"--model", "--step", "--policy", "--preset", "--set", "--prefix"},
       .prepare = prepareDiagnosis},
      {.name = "heads",
       .files = "a capture, with --model",
       .draw = drawView,
       .flags = {"--model", "--step", "--policy", "--preset", "--set", "--prefix"},
       .prepare = prepareDiagnosis},
      {.name = "bound",
       .files = "a capture",
       .draw = drawBound,
       .flags = {"--policy", "--preset", "--set", "--prefix"}},
      {.name = "experiment", .files = "the NAME.json of qaq experiment", .draw = drawExperiment},
      {.name = "tradeoff",
       .files =
           "results files of qaq sweep, qaq evaluate or the authors, or a capture with its runs",
       .draw = drawTradeoff,
       .many = true,
       .flags = {"--x", "--y", "--policy", "--preset", "--set", "--prefix"}},
  };
  return kViews;
}

const FigureView& viewOf(const FigureOptions& options) {
  return *std::ranges::find(figureViews(), options.view, &FigureView::name);
}

// A flag that a view does not know would change nothing, unnoticed.
void checkFlags(const FigureOptions& options) {
  const FigureView& view = viewOf(options);
  auto given = drawingFlags(options);
  given.emplace_back("--page", options.page.has_value());
  given.emplace_back("--format", !options.format.empty());
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

std::vector<std::pair<const char*, bool>> drawingFlags(const FigureOptions& options) {
  std::vector<std::pair<const char*, bool>> flags{{"--layer", options.layer.has_value()},
                                                  {"--head", options.head.has_value()},
                                                  {"--query-head", options.queryHead.has_value()},
                                                  {"--cache", options.cache.has_value()},
                                                  {"--reducer", options.reducer.has_value()},
                                                  {"--colors", options.colors.has_value()},
                                                  {"--whole", options.whole},
                                                  {"--error", options.error.has_value()},
                                                  {"--cell", !options.cell.empty()},
                                                  {"--scope", options.scope.has_value()},
                                                  {"--count", options.count.has_value()},
                                                  {"--of", options.of.has_value()},
                                                  {"--against", options.against.has_value()},
                                                  {"--x", options.x.has_value()},
                                                  {"--y", options.y.has_value()},
                                                  {"--model", !options.model.empty()},
                                                  {"--step", options.step.has_value()}};
  const auto settings = settingFlags(options.common);
  flags.insert(flags.end(), settings.begin(), settings.end());
  return flags;
}

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
                   "Where to write: a name that ends in .png, .pdf or .svg; of a session a folder")
      ->required();
  figure->add_option(
      "--layer", options.layer,
      "Layer of the model; left out: that with the most violations, else the middle one");
  figure->add_option("--head", options.head, "KV head");
  figure->add_option(
      "--query-head", options.queryHead,
      "Query head whose attention is shown; left out: the maximum over the KV head's");
  figure
      ->add_option(
          "--cache", options.cache,
          "key or value (the default), for outliers, channels of distributions, tables, and "
          "numbers of overlay")
      ->check(CLI::IsMember({"key", "value"}));
  figure
      ->add_option("--reducer", options.reducer,
                   "What a pixel shows of the cells that share it: min, max or mean; left out: min "
                   "for bits, else max")
      ->check(CLI::IsMember({"min", "max", "mean"}));
  figure
      ->add_option(
          "--colors", options.colors,
          "Colours of values, for outliers and attention: viridis (the default) or cividis")
      ->check(CLI::IsMember({"viridis", "cividis"}));
  figure->add_flag("--whole", options.whole,
                   "Pairs and violations of all layers and heads, for persistence");
  figure
      ->add_option("--error", options.error,
                   "Which error the map of errors (left out: value) or the lines of overlay (left "
                   "out: output) show: key, value, attention or "
                   "output")
      ->check(CLI::IsMember({"key", "value", "attention", "output"}));
  figure->add_option("--cell", options.cell,
                     "key|value,LAYER,KV_HEAD,TOKEN, for formula: whose bits");
  figure
      ->add_option(
          "--scope", options.scope,
          "Whose numbers, for distributions: those of the head (the default), the layer or "
          "the whole capture")
      ->check(CLI::IsMember({"head", "layer", "capture"}));
  figure
      ->add_option("--count", options.count,
                   "Which bytes the bars of memory are: packed (the default) or nominal")
      ->check(CLI::IsMember({"packed", "nominal"}));
  figure->add_option(
      "--of", options.of,
      "View whose first rows are drawn, for table; bits, magnitude or attention, for "
      "compare (left out: bits); numbers, for overlay: how those of a head lie");
  figure->add_option("--against", options.against,
                     "FILE#RUN, or FILE: what the capture, B, is held against, A, for compare, "
                     "overlay and delta");
  figure->add_option(
      "--x", options.x,
      "Metric across, for tradeoff; left out: the first of ratio_packed, "
      "ratio_nominal, ratio_paper, average_n_bits, average_size that all files have");
  figure->add_option("--y", options.y,
                     "Metric upwards, for tradeoff; left out: the first of kl_mean, accuracy, "
                     "perplexity, errors, same_top that all files have");
  figure->add_option("--model", options.model,
                     "Model of the capture, for broke, where and heads: a known name, a file or a "
                     "folder");
  figure->add_option("--step", options.step,
                     "Which prediction behind the quantized tokens is explained, from 0, for "
                     "broke, where and heads; left out: the first that diverged");
  figure->add_option("--scale", options.scale, "Dots a px in pictures")
      ->check(CLI::Range(1, 8))
      ->capture_default_str();
  addOptions(*figure, options.common);
  figure->footer(
      "Examples:\n"
      "  qaq-scope figure bits story.h5 -o bits.pdf --set target_quantization_error=0.03\n"
      "  qaq-scope figure attention story.h5 -o attention.png --layer 14 --head 1 --scale 2\n"
      "  qaq-scope figure persistence story.h5 -o persistence.png --whole\n"
      "  qaq-scope figure errors story.h5 -o errors.pdf --error output\n"
      "  qaq-scope figure distributions story.h5 -o values.pdf --scope capture\n"
      "  qaq-scope figure formula story.h5 -o formula.png --cell value,14,1,20\n"
      "  qaq-scope figure compare story.h5#tight --against story.h5#paper -o compare.png\n"
      "  qaq-scope figure tradeoff story.h5 -o runs.png --y attention_error\n"
      "  qaq-scope figure tokens story.h5 -o tokens.png --prefix 84\n"
      "  qaq-scope figure table story.h5 -o rows.pdf --of outliers --layer 14\n"
      "  qaq-scope figure experiment experiments/fig4.json -o fig4.pdf --theme dark\n"
      "  qaq-scope figure tradeoff results.json authors.json -o tradeoff.png --x average_n_bits\n"
      "  qaq-scope figure broke story.h5 -o broke.png --model smollm2-135m --set n_bits_max=2\n"
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
