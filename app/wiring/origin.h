#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace qaq {

/// Who writes a file: its provenance names them.
struct Origin {
  std::string program;       ///< "qaq"
  std::string command_line;  ///< paths cut to file names
};

/// What produced a file, free of user names and folders (formats.md, provenance).
nlohmann::ordered_json provenance_of(const Origin& origin);

}  // namespace qaq
