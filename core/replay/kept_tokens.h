#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/policy/retention.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// What a policy that evicts did with a prompt, by layer: who goes on choosing, and which tokens
/// each KV head keeps, (n_layers, n_kv_heads, T), 0 or 1.
struct KeptPrompt {
  std::vector<std::unique_ptr<LayerRetention>> layers;
  NdArray<std::uint8_t, 3> kept;
};

/// What there is of a layer, of T tokens or more; empty where it was not asked for.
struct PromptNumbers {
  NdView<const float, 3> scores{};  ///< (n_heads, rows, at least T): the rows that were asked for
  NdView<const float, 3> query{};   ///< (n_heads, at least T, D)
  NdView<const float, 3> key{};     ///< (n_kv_heads, at least T, D)
  NdView<const float, 3> value{};
  std::span<const double> rope{};
};

/// Rows of attention that the policy asks for of a prompt.
std::int64_t prompt_rows(const TokenRetention& retention, std::int64_t n_prompt);
/// Asks about one layer of a prompt, of `shape` and n_heads; `kept` (n_kv_heads, T) all 1 at first.
std::unique_ptr<LayerRetention> keep_layer(const TokenRetention& retention, const PromptView& layer,
                                           const PromptNumbers& numbers,
                                           const NdView<std::uint8_t, 2>& kept);

/// The first `prefix` tokens as a prompt. Layers are read one by one, with as many attention rows
/// as the policy asks for. Throws Error{input} where the capture lacks what it asks for, with the
/// cure.
KeptPrompt keep_prompt(const CaptureView& capture, const TokenRetention& retention,
                       std::int64_t prefix, const Work& work);

/// What they keep of it alone.
SharedArray<std::uint8_t, 3> kept_tokens(const CaptureView& capture,
                                         const TokenRetention& retention, std::int64_t prefix,
                                         const Work& work);

}  // namespace qaq
