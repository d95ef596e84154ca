#pragma once

#include <cstdint>
#include <vector>

#include "data/models/gguf_metadata.h"

namespace qaq {

/// Tokens at which a generation ends, ascending: those that the metadata name (eos, eot, eom), and
/// control tokens that chat models end a turn or a text with, known by their text. Throws
/// Error{input} naming the key where an id is not below `vocab_size`.
std::vector<std::int32_t> end_token_ids(const GgufMetadata& metadata, std::int64_t vocab_size);

}  // namespace qaq
