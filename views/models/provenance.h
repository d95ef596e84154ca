#pragma once

#include <string>

#include "views/models/analysis.h"

namespace qaq::views {

/// Program, capture, model and the parameters that differ from the defaults: what figures and
/// tables keep of where they come from. No folders, no names of users or machines.
std::string provenanceText(const Analysis& analysis);
/// Of what is shown and, where it is held against something, of that.
std::string provenanceText(const SliceMaps& slice);

}  // namespace qaq::views
