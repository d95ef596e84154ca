#pragma once

#include <string>

#include "core/analysis/lesson_numbers.h"

namespace qaq {

/// The runs of the bundled measured.json, which measure.py makes.
MeasuredRuns bundled_measured_runs();

/// Reads such a file:
///
///   {"format": "qaq-lesson-results", "version": 1, "command": "qaq evaluate ...", "model": "...",
///    "text": "letter.txt", "n_tokens": 64, "prefix": 40, "n_positions": 24,
///    "runs": [{"name": "key head 2", "set": "--set ...", "kl_mean": 0.9, ...}]}
///
/// Throws Error{input} with file and place.
MeasuredRuns parse_measured_runs(const std::string& file, const std::string& text);

}  // namespace qaq
