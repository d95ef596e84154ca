#include "app/cli/diagnose_report.h"

#include <filesystem>
#include <functional>

#include "app/cli/experiment_figure.h"
#include "core/analysis/diagnosis_charts.h"
#include "core/base/error.h"
#include "core/base/shell.h"
#include "core/base/text.h"
#include "data/files/whole_file.h"

namespace qaq::cli {
namespace {

namespace fs = std::filesystem;

// A figure's picture; of a page that embeds it no file is left.
PagePicture drawn(const DiagnosisFigure& figure, const fs::path& stem, bool embeds,
                  const std::function<bool(const std::string&, const std::string&)>& draw) {
  const std::string json = stem.string() + "-" + figure.name + ".json";
  const std::string png = stem.string() + "-" + figure.name + ".png";
  PagePicture out{.title = figure.title, .file = fs::path(png).filename().string()};
  if (!draw(json, png)) {
    out.why_not =
        cat("no qaq-scope could draw it; qaq-scope figure experiment ",
            shell_word(fs::path(json).filename().string()), " -o ", shell_word(out.file), " does");
    return out;
  }
  out.png = read_whole(png, "cannot be read", "run again");
  std::error_code ignored;
  if (embeds) fs::remove(png, ignored);
  return out;
}

}  // namespace

void write_diagnosis(const std::string& path, const Diagnosis& diagnosis,
                     const DiagnosisSubject& subject, ConsoleProgress& progress, const Work& work) {
  const fs::path file(path);
  const bool html = file.extension() == ".html";
  fs::path stem = file;
  stem.replace_extension();
  std::vector<PagePicture> pictures;
  for (const DiagnosisFigure& figure : diagnosis_figures(diagnosis, subject)) {
    const FigureDocument document{.name = "diagnose",
                                  .title = figure.title,
                                  .model = subject.model,
                                  .items = "one prompt",
                                  .counts = "steps",
                                  .n = std::ssize(diagnosis.steps),
                                  .tables = figure.tables,
                                  .chart = figure.chart};
    pictures.push_back(
        drawn(figure, stem, html, [&](const std::string& json, const std::string& png) {
          return draw_figure(document, json, png, progress, work);
        }));
  }
  const Page page = diagnosis_page(diagnosis, subject, std::move(pictures));
  write_whole(path, html ? page_html(page) : page_markdown(page));
}

}  // namespace qaq::cli
