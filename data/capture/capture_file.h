#pragma once

#include <memory>
#include <string>

#include "core/base/progress.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// Opens a capture file (format qaq-capture, version 1) and checks it whole: layout, shapes, types,
/// no external data, no NaN. Throws Error{input} naming the HDF5 path and the cure.
std::shared_ptr<const CaptureView> open_capture(const std::string& path, const Work& work = {});

/// Stores a replay under /runs/<name> of the capture file; replaces a run of that name.
/// `provenance_json` is kept verbatim.
void save_run(const std::string& path, const std::string& name, const ReplayResult& result,
              const std::string& provenance_json);

}  // namespace qaq
