#pragma once

#include <string>

#include "core/model/families.h"
#include "core/model/model_spec.h"
#include "data/models/gguf_metadata.h"

namespace qaq {

/// What a Hugging Face config.json would say of a model that came as GGUF, as one line of JSON,
/// made from the rest of `spec` and the token ids in the metadata.
std::string config_json(const ModelSpec& spec, const Family& family, const GgufMetadata& metadata);

}  // namespace qaq
