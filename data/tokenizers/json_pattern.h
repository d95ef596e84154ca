#pragma once

#include "data/tokenizers/json_value.h"
#include "data/tokenizers/regex.h"

namespace qaq {

/// A `pattern` of tokenizer.json: {"String": text} or {"Regex": expression}. Throws Error{input}
/// with the place in the file where the expression is broken or not supported.
Regex read_pattern(const JsonValue& pattern);

}  // namespace qaq
