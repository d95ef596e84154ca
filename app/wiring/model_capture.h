#pragma once

#include <cstdint>
#include <string>

#include "app/wiring/generation.h"
#include "app/wiring/origin.h"
#include "core/base/progress.h"
#include "data/capture/capture_writer.h"

namespace qaq {

/// What of a run is kept, and where.
struct CaptureRequest {
  GenerationOptions generation;
  std::string layers;  ///< as in "0-3,14"; empty: all
  std::string attention = "auto";
  std::string output;
  bool no_queries = false;
};

/// What the file will hold; not yet the hashes and times of origin(). Throws Error{usage}.
CapturePlan capture_plan(const CaptureRequest& request, const Generator& generator);

/// How a capture was made.
struct CaptureOutcome {
  Generation generation;
  double load = 0;   ///< seconds from the call to the open engine
  double write = 0;  ///< seconds
};

/// Runs the model and writes what it kept to request.output, whole or not at all. Reports the
/// stages of the engine, "decode" and "write". Throws what the engine and the writer throw, and
/// Error{interrupted} where the work is stopped.
CaptureOutcome make_capture(const CaptureRequest& request, const Generator& generator,
                            CapturePlan plan, const Origin& origin, const Work& work);

}  // namespace qaq
