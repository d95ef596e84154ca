#include "app/scope/stored_runs.h"

#include "core/base/error.h"
#include "data/capture/capture_file.h"

namespace qaq::scope {

std::vector<RunSummary> storedRuns(const std::string& path, const Work& work) {
  std::vector<RunSummary> out;
  for (const std::string& name : list_runs(path)) {
    work.throw_if_stopped();
    try {
      out.push_back(summary_of(*load_run(path, name), name));
    } catch (const Error& error) {
      // The others are whole. `qaq info` tells of every run.
      if (error.kind() != ErrorKind::input) throw;
    }
  }
  return out;
}

}  // namespace qaq::scope
