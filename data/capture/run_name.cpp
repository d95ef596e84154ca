#include "data/capture/run_name.h"

#include "data/capture/capture_file.h"

namespace qaq {

RunName parse_run_name(const std::string& text) {
  const std::size_t mark = text.rfind('#');
  if (mark == std::string::npos || is_capture(text)) return {text, ""};
  return {text.substr(0, mark), text.substr(mark + 1)};
}

}  // namespace qaq
