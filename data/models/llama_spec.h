#pragma once

#include "core/model/model_spec.h"
#include "data/models/gguf_file.h"

namespace qaq {

/// The spec that the metadata of a GGUF file of architecture `llama` gives. Counts are held against
/// each other, not against the tensors. Throws Error{input} naming the key; position embeddings
/// that are scaled, mixtures of experts and other things that would change the numbers are refused.
ModelSpec llama_spec(const GgufFile& gguf);

}  // namespace qaq
