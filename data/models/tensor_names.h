#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/model/model_source.h"

namespace qaq {

/// GGUF's name of a weight: "blk.3.attn_q.weight". `layer` counts for roles that every layer has.
std::string gguf_tensor_name(WeightRole role, std::int64_t layer);

/// Hugging Face's name of a weight: "model.layers.3.self_attn.q_proj.weight". `prefix` is "model."
/// or, as checkpoints of the bare model have it, empty; the head's name has none.
std::string hf_tensor_name(WeightRole role, std::int64_t layer, std::string_view prefix);

/// Whether a tensor of a Hugging Face file is known to be of no use: rotation frequencies that old
/// versions saved, which config.json says better.
bool is_ignored_hf_tensor(std::string_view name);

}  // namespace qaq
