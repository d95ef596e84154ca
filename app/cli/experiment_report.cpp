#include "app/cli/experiment_report.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/console.h"
#include "app/cli/printable.h"
#include "core/analysis/chart_json.h"
#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/files/whole_file.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

// Sources name tables as the document does.
Chart with_stems(const Experiment& experiment, Chart chart) {
  for (ChartPanel& panel : chart.panels) {
    for (ChartSeries& series : panel.series) {
      series.source.table = table_stem(experiment.name, series.source.table);
    }
  }
  return chart;
}

std::string seconds_text(double seconds) {
  return number_text(static_cast<double>(static_cast<std::int64_t>(seconds * 10 + 0.5)) / 10);
}

}  // namespace

Json experiment_json(const Experiment& experiment, const ExperimentSubject& subject,
                     const ExperimentResult& result) {
  Json tables = Json::object();
  for (const ExperimentTable& table : result.tables) {
    std::ostringstream text;
    write_json(table.table, Json::object(), text);
    tables[table_stem(experiment.name, table.name)] = Json::parse(text.str());
  }
  Json out{{"experiment", experiment.name},
           {"title", experiment.title},
           {"mode", name_of(experiment.mode)},
           {"paper", experiment.paper},
           {"model", subject.model},
           {"items", subject.items},
           {"dtype", name_of(subject.dtype)},
           {"counts", result.items},
           {"n", result.n},
           {"n_available", result.n_available},
           {"too_long", subject.too_long},
           {"settings", result.settings},
           {"remarks", result.remarks},
           {"tables", std::move(tables)},
           {"provenance", provenance()},
           {"timing", {{"total", result.seconds}}}};
  if (!result.chart.panels.empty()) {
    out["chart"] = chart_json(with_stems(experiment, result.chart));
  }
  return out;
}

std::string experiment_page(const Experiment& experiment, const ExperimentSubject& subject,
                            const ExperimentResult& result, const std::string& figure) {
  std::ostringstream page;
  page << "# " << experiment.name << ": " << experiment.title << "\n\n";
  if (!experiment.paper.empty())
    page << "The paper (arXiv 2403.04643): " << experiment.paper << "\n\n";
  page << "Ours: " << subject.model << " on " << subject.items << ", mode "
       << name_of(experiment.mode) << ", cache in " << name_of(subject.dtype)
       << ", n = " << result.n << " of " << result.n_available << " " << result.items << ", "
       << seconds_text(result.seconds) << " s.\n";
  for (const std::string& setting : result.settings) page << "* " << setting << "\n";
  if (!subject.too_long.empty()) {
    page << "* left out, longer than the model's context: " << subject.too_long.size() << " (";
    for (const std::string& id : subject.too_long) {
      page << (id == subject.too_long.front() ? "" : ", ") << printable(id);
    }
    page << ")\n";
  }
  page << "\n    " << command_line() << "\n";
  if (!figure.empty()) page << "\n![" << experiment.title << "](" << figure << ")\n";
  for (const ExperimentTable& table : result.tables) {
    page << "\n## " << table.title << "\n\n";
    const std::string file = table_stem(experiment.name, table.name) + ".csv";
    if (table.in_page) {
      write_markdown(table.table, page);
      page << "\nAs a file: `" << file << "`.\n";
    } else {
      page << table.table.n_rows << " rows in `" << file << "`.\n";
    }
  }
  page << "\n## What to see\n\n";
  for (const std::string& remark : result.remarks) page << "* " << remark << "\n";
  return page.str();
}

WrittenExperiment write_experiment(const std::string& folder, const Experiment& experiment,
                                   const ExperimentSubject& subject, const ExperimentResult& result,
                                   const DrawFigure& draw) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::work, {.file = folder,
                                  .what = cat("cannot be made: ", error.message()),
                                  .cure = "give another folder with -o"});
  }
  WrittenExperiment out;
  const auto path_of = [&](const std::string& name) {
    return (std::filesystem::path(folder) / name).string();
  };
  const auto write = [&](const std::string& name, const std::string& text) {
    out.paths.push_back(path_of(name));
    write_whole(out.paths.back(), text);
  };
  for (const ExperimentTable& table : result.tables) {
    std::ostringstream text;
    write_csv(table.table, text);
    write(table_stem(experiment.name, table.name) + ".csv", text.str());
  }
  Json document{{"schema_version", 1}};
  document.update(experiment_json(experiment, subject, result));
  write(cat(experiment.name, ".json"),
        document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  std::string figure = cat(experiment.name, ".png");
  if (!result.chart.panels.empty() && draw(out.paths.back(), path_of(figure))) {
    out.paths.push_back(path_of(figure));
  } else {
    figure.clear();
  }
  out.page = experiment_page(experiment, subject, result, figure);
  write(cat(experiment.name, ".md"), out.page);
  return out;
}

}  // namespace qaq::cli
