// The one dependency rule: every include in the tree is read and held against the table. A folder
// may include itself and core; only app and tests may include several; core includes nobody, and
// inside core left may not include right.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const Names kRoots{"app", "core", "data", "gpu", "tests", "views"};

// Which project folders and which libraries' headers a folder may include.
struct Allowed {
  Names folders;
  Names libraries;
};
const std::map<std::string, Allowed> kTable{
    {"core", {{"core"}, {"eigen", "blas", "tbb", "json", "highway"}}},
    {"data",
     {{"core", "data"}, {"eigen", "hdf5", "json", "pcre2", "sentencepiece", "utf8proc", "zlib"}}},
    {"gpu", {{"core", "gpu"}, {"cuda", "json"}}},
    {"views", {{"core", "views"}, {"qt", "json"}}},
    {"app/cli", {{"app", "core", "data", "gpu"}, {"json", "cli11", "mpi"}}},
    {"app/wiring", {{"app", "core", "data", "gpu"}, {"json"}}},
    {"app/scope", {{"app", "core", "data", "gpu", "views"}, {"json", "cli11", "qt"}}},
    {"tests",
     {kRoots,
      {"eigen", "blas", "tbb", "json", "hdf5", "pcre2", "sentencepiece", "cuda", "qt", "cli11",
       "highway", "gtest"}}},
};

// Steps inside core, from left to right; equal steps do not include each other.
const std::map<std::string, int> kCoreStep{{"base", 0},   {"tensor", 1},   {"quant", 2},
                                           {"model", 2},  {"policy", 3},   {"engine", 3},
                                           {"replay", 4}, {"evaluate", 5}, {"analysis", 6}};

std::string library_of(const std::string& header) {
  static const std::vector<std::pair<std::regex, std::string>> kLibraries{
      {std::regex("Eigen/.*"), "eigen"},
      {std::regex("cblas\\.h"), "blas"},
      {std::regex("tbb/.*"), "tbb"},
      {std::regex("hwy/.*"), "highway"},
      {std::regex("sentencepiece.*\\.h"), "sentencepiece"},
      {std::regex("nlohmann/.*"), "json"},
      {std::regex("hdf5.*\\.h|H5.*\\.h"), "hdf5"},
      {std::regex("pcre2\\.h"), "pcre2"},
      {std::regex("utf8proc\\.h"), "utf8proc"},
      {std::regex("zlib\\.h"), "zlib"},
      {std::regex("CLI/.*"), "cli11"},
      {std::regex("mpi\\.h"), "mpi"},
      {std::regex("cuda.*|cublas.*"), "cuda"},
      {std::regex("Q[A-Z].*|Qt.*|qcustomplot\\.h"), "qt"},
      {std::regex("gtest/.*|gmock/.*"), "gtest"},
  };
  for (const auto& [pattern, name] : kLibraries) {
    if (std::regex_match(header, pattern)) return name;
  }
  return "";
}

struct Include {
  std::string file;  // from the repository root
  std::string header;
};

std::vector<Include> all_includes() {
  static const std::regex kPattern("^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"]");
  std::vector<Include> found;
  for (const std::string& root : kRoots) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(QAQ_SOURCE_DIR) / root)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cpp" && extension != ".cu") continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (std::regex_search(line, match, kPattern)) {
          found.push_back({fs::relative(entry.path(), QAQ_SOURCE_DIR).generic_string(), match[1]});
        }
      }
    }
  }
  return found;
}

std::string first_part(const std::string& path) { return path.substr(0, path.find('/')); }
std::string second_part(const std::string& path) {
  const std::size_t slash = path.find('/');
  return first_part(path.substr(slash + 1));
}

// Empty where the include is allowed, else why not.
std::string violation(const Include& include) {
  if (include.header.starts_with("..")) return "written from the file, not from the root";
  std::string folder = first_part(include.file);
  if (folder == "app") folder += "/" + second_part(include.file);
  const auto rule = kTable.find(folder);
  if (rule == kTable.end()) return "no rule for folder " + folder;
  const std::string target = first_part(include.header);
  if (kRoots.contains(target) && include.header.find('/') != std::string::npos) {
    if (!rule->second.folders.contains(target)) return folder + " may not include " + target;
    if (folder == "core") {
      const std::string from = second_part(include.file), to = second_part(include.header);
      if (from != to && kCoreStep.at(from) <= kCoreStep.at(to)) {
        return "core/" + from + " may not include core/" + to;
      }
    }
    return "";
  }
  const std::string library = library_of(include.header);
  if (!library.empty() && !rule->second.libraries.contains(library)) {
    return folder + " may not include the library " + library;
  }
  return "";
}

TEST(DependencyRule, HoldsForEveryInclude) {
  const auto includes = all_includes();
  EXPECT_GT(includes.size(), 300u);
  for (const Include& include : includes) {
    EXPECT_EQ(violation(include), "") << include.file << " includes " << include.header;
  }
}

TEST(DependencyRule, ForbidsWhatTheTableForbids) {
  EXPECT_NE(violation({"core/quant/plan.cpp", "data/capture/capture_file.h"}), "");
  EXPECT_NE(violation({"core/quant/plan.cpp", "core/policy/cache_policy.h"}), "");
  EXPECT_NE(violation({"core/quant/plan.cpp", "core/model/model_spec.h"}), "");
  EXPECT_NE(violation({"core/base/text.cpp", "hdf5.h"}), "");
  EXPECT_NE(violation({"views/plots/heatmap.cpp", "data/capture/capture_file.h"}), "");
  EXPECT_NE(violation({"app/cli/main.cpp", "views/shell/main_window.h"}), "");
  EXPECT_NE(violation({"app/cli/main.cpp", "QString"}), "");
  EXPECT_NE(violation({"data/models/model_file.cpp", "../models/gguf_file.h"}), "");
  EXPECT_EQ(violation({"core/replay/replay.cpp", "core/quant/plan.h"}), "");
  EXPECT_EQ(violation({"data/capture/capture_file.cpp", "hdf5.h"}), "");
}

}  // namespace
