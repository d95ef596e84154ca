#include "app/scope/table_writer.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "data/capture/table_file.h"
#include "data/files/whole_file.h"

namespace qaq::scope {
void writeTable(const std::string& path, const Table& table, const std::string& provenance,
                const Work& work) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".csv") {
    return write_whole(path, [&](std::ostream& out) {
      out << "# " << provenance << "\n";
      write_csv(table, out, work);
    });
  }
  if (ending == ".h5") return write_table_file(path, table, {{"provenance", provenance}}, work);
  refuse_usage(
      {.file = path, .what = "the name tells no format of rows", .cure = "end it in .csv or .h5"});
}

}  // namespace qaq::scope
