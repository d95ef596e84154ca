#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/analysis/diagnosis.h"
#include "core/analysis/table.h"

namespace qaq {

/// A row a prediction: step, position and id of the token that was read, ids of what was expected
/// and what came, KL, margin, rank, p of the expected token before and after, verdict.
Table step_table(const Diagnosis& diagnosis);

/// A row a replay of the explained step: stage, label, cells that are not the setting's, KL, id of
/// what came, rank, whether it repairs.
Table replay_table(const Diagnosis& diagnosis);

/// A row a head: cache, layer, kv_head, and each head's number of `numbers` (keys, values), named
/// `name`, (n_layers, n_kv_heads).
Table head_table(const std::array<NdArray<float, 2>, 2>& numbers, const Column& name);

/// Of the replays those that say where the step breaks, in the order in which they were made, as
/// indices: each side exact; of every part that was narrowed down to (layers, heads, cells) the
/// fewest that repair and the most that do not; what was quantized alone.
std::vector<std::size_t> telling_replays(const Diagnosis& diagnosis);

}  // namespace qaq
