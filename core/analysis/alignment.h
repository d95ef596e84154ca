#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/replay/capture_view.h"

namespace qaq {

/// Whether two captures may be held against each other cell by cell, and which part of them.
struct Alignment {
  std::string refusal{};      ///< why not, one sentence; empty: they may
  std::string remark{};       ///< what is left out where they are not alike; empty: nothing
  std::int64_t n_tokens = 0;  ///< of the common prefix
  std::vector<std::int32_t> layers{};  ///< of the model, that both hold

  bool allowed() const { return refusal.empty(); }
};
/// Another model, tokenizer or prompt: refused. Another length, another continuation of the same
/// prompt, or other layers: aligned on what is common.
Alignment align(const CaptureInfo& a, const CaptureInfo& b);

/// A captured layer that both hold.
struct LayerPair {
  std::int32_t layer = 0;           ///< of the model
  std::int64_t in_a = 0, in_b = 0;  ///< layer index in each
};
std::vector<LayerPair> layer_pairs(const Alignment& alignment, const CaptureInfo& a,
                                   const CaptureInfo& b);

/// A row of attention of the common prefix that both hold.
struct RowPair {
  std::int32_t position = 0;
  std::int64_t in_a = 0, in_b = 0;  ///< among the captured rows of each
};
std::vector<RowPair> row_pairs(const Alignment& alignment, const CaptureInfo& a,
                               const CaptureInfo& b);

}  // namespace qaq
