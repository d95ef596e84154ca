#pragma once

#include "core/base/progress.h"
#include "core/replay/capture_view.h"
#include "core/replay/cpu_replay.h"
#include "core/replay/planner.h"
#include "core/replay/replay.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// Replays one capture again and again with changing parameters. Keeps what a slider does not
/// change (see Planner). One call at a time; the capture outlives it. Same options, same result,
/// whatever was asked before.
class Replayer {
 public:
  /// Errors are measured where `open` opens the capture.
  explicit Replayer(const CaptureView& capture, OpenReplay open = open_cpu_replay);

  /// Bits and sizes alone, which is quick: see planned_replay().
  SharedReplay planned(const ReplayOptions& options, const Work& work = {});
  /// Bits, outliers, errors of keys and values, sizes: everything but what attention makes of it.
  /// Errors as replay().
  SharedReplay bits(const ReplayOptions& options, const Work& work = {});
  /// The same with the errors of scores and outputs.
  SharedReplay full(const ReplayOptions& options, const Work& work = {});
  /// What bits() measures, to be carried out elsewhere (quantized_layer()). Refers to what the
  /// replayer keeps: valid until its next call.
  PlannedCaches plans(const ReplayOptions& options, const Work& work = {});

 private:
  enum class Depth { plan, values, attention };
  SharedReplay run(const ReplayOptions& options, Depth depth, const Work& work);
  PlannedCaches plans(const CachePolicy& policy, const ReplayOptions& options, const Work& work);

  const CaptureView& capture_;
  Planner planner_;
  OpenReplay open_;
};

}  // namespace qaq
