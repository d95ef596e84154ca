#pragma once

#include <string>

#include "views/models/analysis.h"

namespace qaq::scope {

/// What made a picture: program and version, capture, model, every parameter that was changed.
std::string provenanceText(const views::Analysis& analysis);

}  // namespace qaq::scope
