#pragma once

#include "views/models/diagnosis_service.h"

namespace qaq::scope {

/// What the window diagnoses with: the same functions as `qaq diagnose`.
views::DiagnosisMaker diagnosisMaker();

}  // namespace qaq::scope
