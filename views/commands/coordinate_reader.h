#pragma once

#include <QString>

#include "core/replay/capture_view.h"
#include "views/models/slice.h"

namespace qaq::views {

/// The cell that a text names: as --cell takes it ("value,14,1,56,84") or as the window writes it
/// ("V · L14 · KVH1 · tok 56", in any order; "h1" and "t56" will do). Layers are the model's. What
/// the text leaves out is taken from `start`, apart from step and channel. Throws Error{usage} for
/// what the capture does not have and for what means nothing.
Cursor readCoordinate(const QString& text, const CaptureInfo& info, const Cursor& start);

}  // namespace qaq::views
