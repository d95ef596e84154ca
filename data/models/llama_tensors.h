#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/model/model_source.h"
#include "data/models/gguf_file.h"

namespace qaq {

/// GGUF's name of a weight: "blk.3.attn_q.weight". `layer` counts for roles that every layer has.
std::string gguf_tensor_name(WeightRole role, std::int64_t layer);

/// Holds the tensors of a GGUF file against the spec: all are there, with their shapes and a type
/// that can be decoded, and there are no others. Throws Error{input} naming the tensor.
void check_llama_tensors(const GgufFile& gguf, const ModelSpec& spec);

}  // namespace qaq
