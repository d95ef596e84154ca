#include "tests/gpu_check/oracle_folder.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace qaq::gpu_check {

OracleFolder::OracleFolder(const std::string& folder) : folder_(folder) {
  const std::string path = folder + "/index.json";
  const std::string cure = "make it with tests/gpu_check/oracle.py " + folder;
  std::ifstream in(path);
  if (!in) refuse_input({.file = path, .what = "cannot be opened", .cure = cure});
  try {
    nlohmann::json::parse(in).get_to(files_);
  } catch (const nlohmann::json::exception& error) {
    refuse_input({.file = path, .what = error.what(), .cure = cure});
  }
}

bool OracleFolder::has(const std::string& file, const std::string& name) const {
  const auto arrays = files_.find(file);
  return arrays != files_.end() && arrays->second.contains(name);
}

NpyArray OracleFolder::read(const std::string& file, const std::string& name) const {
  if (!has(file, name)) {
    refuse_input({.file = folder_ + "/index.json",
                  .place = file + "/" + name,
                  .what = "is missing",
                  .cure = "make the folder anew with tests/gpu_check/oracle.py"});
  }
  return NpyArray(folder_ + "/" + files_.at(file).at(name));
}

}  // namespace qaq::gpu_check
