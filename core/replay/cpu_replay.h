#pragma once

#include <memory>

#include "core/replay/replay_kernel.h"

namespace qaq {

/// Replays on the processor: in parallel over plans, and within a plan over tokens, heads and rows.
/// The same bytes on however many threads. Works in blocks of rows, so that long captures need no
/// more memory than short ones, unless layers are kept.
std::unique_ptr<ReplayKernel> open_cpu_replay(const CaptureView& capture, const ReplayScope& scope,
                                              const Work& work);

}  // namespace qaq
