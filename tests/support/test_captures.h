#pragma once

#include <cstdint>
#include <memory>

#include "core/replay/memory_capture.h"
#include "tests/support/reference_file.h"

namespace qaq::test {

/// Layers 0, 1, 14 and 29 of SmolLM2 on the narrative prompt, from the reference data: queries,
/// keys, values and whole attention, 95 tokens. `forward` is oracle/smollm2_forward_narrative.h5.
std::shared_ptr<const MemoryCapture> narrative_capture(const ReferenceFile& forward);

/// The whole cache of the same prompt: keys and values of all 30 layers, without queries and
/// attention. `reference` is oracle/qaq_reference_narrative.h5.
MemoryCapture narrative_cache(const ReferenceFile& reference);

/// Sizes of a made-up capture.
struct SyntheticShape {
  std::int64_t n_layers = 2;
  std::int64_t n_heads = 4;
  std::int64_t n_kv_heads = 2;
  std::int64_t n_tokens = 24;
  std::int64_t head_dim = 8;
};

/// Normally distributed queries, keys and values (reproducible on every machine) with the attention
/// that follows from them, `window` rows of it (0: all). Some values are ten times as large.
MemoryCapture::Arrays synthetic_arrays(const SyntheticShape& shape, std::uint32_t seed,
                                       std::int64_t window = 0);
CaptureInfo synthetic_info(const SyntheticShape& shape, std::int64_t window = 0);
MemoryCapture synthetic_capture(const SyntheticShape& shape = {}, std::uint32_t seed = 1,
                                std::int64_t window = 0);
/// The same queries, keys and values without attention, which profile derive makes when it is asked
/// for: of many tokens it would fill the memory.
MemoryCapture::Arrays arrays_without_attention(const SyntheticShape& shape, std::uint32_t seed);

}  // namespace qaq::test
