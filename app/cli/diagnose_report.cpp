#include "app/cli/diagnose_report.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/experiment_figure.h"
#include "app/cli/experiment_report.h"
#include "core/analysis/chart_json.h"
#include "core/analysis/diagnosis_charts.h"
#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "core/base/shell.h"
#include "core/base/text.h"
#include "data/files/whole_file.h"

namespace qaq::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// As a document that qaq-scope draws.
Json figure_json(const DiagnosisFigure& figure, const Diagnosis& diagnosis,
                 const DiagnosisSubject& subject) {
  Json tables = Json::object();
  for (const ExperimentTable& table : figure.tables) {
    std::ostringstream text;
    write_json(table.table, Json::object(), text);
    tables[table.name] = Json::parse(text.str());
  }
  return {{"schema_version", 1},         {"experiment", "diagnose"},
          {"title", figure.title},       {"model", subject.model},
          {"items", "one prompt"},       {"counts", "steps"},
          {"n", diagnosis.steps.size()}, {"n_available", diagnosis.steps.size()},
          {"tables", std::move(tables)}, {"chart", chart_json(figure.chart)}};
}

// A figure's picture; of a page that embeds it no file is left.
PagePicture drawn(const DiagnosisFigure& figure, const Json& document, const fs::path& stem,
                  bool embeds, const DrawFigure& draw) {
  const std::string json = stem.string() + "-" + figure.name + ".json";
  const std::string png = stem.string() + "-" + figure.name + ".png";
  PagePicture out{.title = figure.title, .file = fs::path(png).filename().string()};
  write_whole(json, document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (!draw(json, png)) {
    out.why_not =
        cat("no qaq-scope could draw it; qaq-scope figure experiment ",
            shell_word(fs::path(json).filename().string()), " -o ", shell_word(out.file), " does");
    return out;
  }
  out.png = read_whole(png, "cannot be read", "run again");
  std::error_code ignored;
  fs::remove(json, ignored);
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
    pictures.push_back(drawn(figure, figure_json(figure, diagnosis, subject), stem, html,
                             [&](const std::string& document, const std::string& picture) {
                               return draw_experiment(document, picture, progress, work);
                             }));
  }
  const Page page = diagnosis_page(diagnosis, subject, std::move(pictures));
  write_whole(path, html ? page_html(page) : page_markdown(page));
}

}  // namespace qaq::cli
