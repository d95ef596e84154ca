#pragma once

#include <string>

namespace qaq {

/// "FILE#RUN": a run that a capture's file keeps; a file alone has no run. A '#' that belongs to
/// the file's name is told by the file being there.
struct RunName {
  std::string file, run;
};
RunName parse_run_name(const std::string& text);

}  // namespace qaq
