#include "app/scope/table_writer.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "data/capture/table_file.h"
#include "data/files/partial_file.h"

namespace qaq::scope {
namespace {

void writeText(const std::string& path, const Table& table, const std::string& provenance,
               const Work& work) {
  std::ofstream out(PartialFile::name_for_writing(path), std::ios::binary | std::ios::trunc);
  PartialFile partial(path);
  out << "# " << provenance << "\n";
  write_csv(table, out, work);
  out.close();
  if (!out) {
    throw Error(
        ErrorKind::work,
        {.file = path, .what = "cannot be written", .cure = "check the folder and its free space"});
  }
  partial.rename();
}

}  // namespace

void writeTable(const std::string& path, const Table& table, const std::string& provenance,
                const Work& work) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".csv") return writeText(path, table, provenance, work);
  if (ending == ".h5") return write_table_file(path, table, {{"provenance", provenance}}, work);
  refuse_usage(
      {.file = path, .what = "the name tells no format of rows", .cure = "end it in .csv or .h5"});
}

}  // namespace qaq::scope
