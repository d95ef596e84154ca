#pragma once

#include "core/model/families.h"
#include "core/model/model_spec.h"
#include "data/models/json_object.h"

namespace qaq {

/// How a model of a Hugging Face folder turns queries and keys: `rope_parameters`, or the older
/// `rope_theta` and `rope_scaling` with "rope_type" or "type". Defaults and required keys are those
/// of transformers 4.57. Throws Error{input} naming the key; an unknown kind is refused by name.
RopeSpec hf_rope(const JsonObject& config, const Family& family, const ModelShape& shape);

}  // namespace qaq
