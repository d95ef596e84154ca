#pragma once

#include "views/models/window_services.h"

namespace qaq::scope {

/// What the window's form "Capture from model" works with: the same functions as `qaq capture`.
views::CaptureMaker captureMaker();

/// `qaq capture ...` that makes the same capture; paths are cut to file names.
std::string captureCommand(const views::CaptureForm& form);

}  // namespace qaq::scope
