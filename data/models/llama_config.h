#pragma once

#include <string>

#include "core/model/model_spec.h"
#include "data/models/gguf_metadata.h"

namespace qaq {

/// What a Hugging Face config.json of model_type llama would say of the model, as one line of JSON,
/// made from the rest of `spec` and the token ids in the metadata.
std::string llama_config_json(const ModelSpec& spec, const GgufMetadata& metadata);

}  // namespace qaq
