#pragma once

#include "core/model/families.h"
#include "core/model/model_spec.h"
#include "data/models/gguf_parts.h"

namespace qaq {

/// The family of a GGUF model, by `general.architecture`. Throws Error{input} with the known ones.
const Family& gguf_family(const GgufMetadata& metadata);

/// The spec that the metadata of a GGUF model of that family give. Counts are held against each
/// other, not against the tensors. Throws Error{input} naming the key; what would change the
/// numbers and is not computed here is refused.
ModelSpec gguf_spec(const GgufParts& gguf, const Family& family);

}  // namespace qaq
