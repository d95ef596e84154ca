#pragma once

#include <string>

#include "core/base/parameter_grid.h"

namespace qaq {

/// Reads the grid of a sweep:
///
///   {"format": "qaq-grid", "version": 1, "policy": "qaq",
///    "grid": {"level": ["token", "head"], "target_quantization_error": [1, 3, 10, 30],
///             "n_bits_max": [{"from": 2, "to": 4}]},
///    "when": ["n_bits_min <= n_bits_max",
///             {"if": "use_attentions == false", "grid": {"n_bits_uniform": [1, 2, 4]}}]}
///
/// Every value is a list; in it {"from": a, "to": b} counts in steps of "step" (1), or makes
/// "count" values, with "log": true in equal ratios. Throws Error{input} with file and place.
ParameterGrid read_grid(const std::string& path);

}  // namespace qaq
