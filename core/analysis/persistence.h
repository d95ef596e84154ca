#pragma once

#include <optional>

#include "core/base/progress.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// Persistence of importance (Scissorhands' hypothesis; section 7 of the mathematics). Token t is
/// pivotal at step s where S_s[t] > 1 / (s + 1). With h = T / 2 rounded down, P the tokens that are
/// pivotal at any step below h and Q those below h that are pivotal at any step from h on:
///
///   ratio = |P and Q| / |Q|, 1 where Q is empty        share = |P| / h
///
/// The ratio says little where the share is near 1: then nearly every token was pivotal once.
struct Persistence {
  NdArray<double, 2> ratio;  ///< (n_layers, n_heads)
  NdArray<double, 2> share;  ///< (n_layers, n_heads)
};

/// Of every captured layer and query head. Nothing where the capture does not give every row of the
/// attention, or has less than two tokens.
std::optional<Persistence> persistence(const CaptureView& capture, const Work& work = {});

}  // namespace qaq
