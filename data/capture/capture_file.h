#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"
#include "core/replay/streaming.h"

namespace qaq {

/// Opens a capture file (format qaq-capture, version 1) and checks it whole: layout, shapes, types,
/// no external data, no NaN. Throws Error{input} naming the HDF5 path and the cure.
std::shared_ptr<const CaptureView> open_capture(const std::string& path, const Work& work = {});

/// Whether a file says that it is a capture, whatever else is in it. False where it cannot be read.
bool is_capture(const std::string& path);

/// Stores a replay under /runs/<name> of the capture file; replaces a run of that name once the
/// new one is whole. `provenance_json` is kept verbatim. Throws Error{usage} for a name that is no
/// plain one, Error{input} where the file is no capture or another one than was replayed, and
/// Error{work} where it cannot be written; then it holds what it held.
void save_run(const std::string& path, const std::string& name, const ReplayResult& result,
              const std::string& provenance_json);

/// The same of a capture whose decode was replayed step by step: what was left in both caches,
/// errors of the steps' rows, and a series a figure of the steps.
void save_run(const std::string& path, const std::string& name, const StreamingResult& result,
              const std::string& provenance_json);
/// Throws Error{usage} where save_run() would not take the name.
void require_run_name(const std::string& name);

/// Names of the stored runs, in alphabetical order.
std::vector<std::string> list_runs(const std::string& path);

/// A stored batch run as it was saved. Throws Error{input} naming the HDF5 path, also where there
/// is no run of that name, and where it is of another mode.
SharedReplay load_run(const std::string& path, const std::string& name);

}  // namespace qaq
