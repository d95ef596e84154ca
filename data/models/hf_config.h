#pragma once

#include <optional>

#include "core/model/families.h"
#include "core/model/model_spec.h"
#include "data/models/json_object.h"

namespace qaq {

/// The family of a Hugging Face config.json, by `model_type`. Throws Error{input} with the known
/// ones.
const Family& hf_family(const JsonObject& config);

/// The spec that a config.json of that family gives, with what it leaves out as transformers has it
/// (Family::defaults). End tokens come from `generation`, the generation_config.json, too. name,
/// weights_dtype and config_json are left empty. Throws Error{input} naming the key; what would
/// change the numbers and is not computed here is refused.
ModelSpec hf_spec(const JsonObject& config, const Family& family,
                  const std::optional<JsonObject>& generation);

}  // namespace qaq
