#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "data/tokenizers/bpe_model.h"
#include "data/tokenizers/json_value.h"

namespace qaq {

/// The `model` of a tokenizer.json.
struct JsonBpe {
  BpeModel model;
  std::unordered_map<std::string_view, std::int32_t> ids;  ///< by text; points into the document
};

/// Reads a model of type BPE. Throws Error{input} with the place, and by name for another type or a
/// setting that is not supported.
JsonBpe read_json_bpe(const JsonValue& part, bool byte_level);

}  // namespace qaq
