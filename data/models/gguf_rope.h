#pragma once

#include "core/model/model_spec.h"
#include "data/models/gguf_keys.h"
#include "data/models/gguf_parts.h"

namespace qaq {

/// The tensor whose numbers divide the rotation frequencies (LLaMA 3.1's scaling in GGUF).
inline constexpr std::string_view kRopeDivisors = "rope_freqs.weight";

/// How a GGUF model turns queries and keys: `rope.*` keys and rope_freqs.weight. Throws
/// Error{input} naming the key; scaling that is not computed here is refused by name.
RopeSpec gguf_rope(const GgufParts& gguf, const GgufKeys& keys, const ModelShape& shape);

}  // namespace qaq
