#include "app/cli/experiment_figure.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/analysis/chart_json.h"
#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "core/base/shell.h"
#include "core/base/text.h"
#include "data/files/whole_file.h"
#include "data/models/child_process.h"

namespace qaq::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kScope = "qaq-scope";

// What a child said, for as long as it is of interest.
class ChildLog {
 public:
  explicit ChildLog(fs::path path) : path_(std::move(path)) {}
  ~ChildLog() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  ChildLog(const ChildLog&) = delete;
  ChildLog& operator=(const ChildLog&) = delete;

  const fs::path& path() const { return path_; }
  std::string first_line() const {
    std::ifstream file(path_);
    std::string line;
    std::getline(file, line);
    return line;
  }

 private:
  fs::path path_;
};

// Why there is no picture; empty: there is one.
std::string failure(const std::string& document, const std::string& picture, const Work& work) {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error);
  const std::string scope = (here.parent_path() / kScope).string();
  if (error || !fs::exists(scope, error)) return "qaq-scope is not beside this program";
  const ChildLog log(picture + ".log");
  try {
    // A folder's name may look like a flag.
    const int status = run_program({scope, "figure", "experiment", fs::absolute(document).string(),
                                    "-o", fs::absolute(picture).string()},
                                   log.path(), work);
    if (status == 0) return {};
    const std::string said = log.first_line();
    return said.empty() ? cat(kScope, " ended with status ", status) : said;
  } catch (const Error& failed) {
    if (failed.kind() == ErrorKind::interrupted) throw;
    return failed.what();
  }
}

}  // namespace

Json figure_json(const FigureDocument& figure) {
  Json tables = Json::object();
  for (const ExperimentTable& table : figure.tables) {
    std::ostringstream text;
    write_json(table.table, Json::object(), text);
    tables[table.name] = Json::parse(text.str());
  }
  return {{"schema_version", 1},
          {"experiment", figure.name},
          {"title", figure.title},
          {"model", figure.model},
          {"items", figure.items},
          {"counts", figure.counts},
          {"n", figure.n},
          {"n_available", figure.n},
          {"tables", std::move(tables)},
          {"chart", chart_json(figure.chart)}};
}

bool draw_figure(const FigureDocument& figure, const std::string& path, const std::string& picture,
                 ConsoleProgress& progress, const Work& work) {
  write_whole(path, figure_json(figure).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (!draw_experiment(path, picture, progress, work)) return false;
  std::error_code ignored;
  fs::remove(path, ignored);
  return true;
}

bool draw_experiment(const std::string& document, const std::string& picture,
                     ConsoleProgress& progress, const Work& work) {
  const std::string why = failure(document, picture, work);
  if (why.empty()) return true;
  progress.note(cat("no figure: ", why, "; draw it later: ", kScope, " figure experiment ",
                    shell_word(document), " -o ", shell_word(picture)));
  return false;
}

}  // namespace qaq::cli
