#pragma once

#include <QString>

#include "core/replay/capture_view.h"
#include "views/models/slice.h"

namespace qaq::views {

/// "V · L14 · KVH1": where a head is.
QString placeText(const CaptureInfo& info, const Cursor& cursor);
/// "V · L14 · KVH1 · tok 56 “ vessel”": how a coordinate is written everywhere.
QString coordinateText(const CaptureInfo& info, const Cursor& cursor);

}  // namespace qaq::views
