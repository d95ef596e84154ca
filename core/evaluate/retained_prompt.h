#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "core/replay/kept_tokens.h"
#include "core/replay/stream_planner.h"

namespace qaq {

/// Asks a policy that evicts about a prompt while a model runs it, layer by layer: rows of
/// attention are held of one layer at a time.
class RetainedPrompt {
 public:
  /// What the policy is asked with. All outlive it.
  struct Source {
    const TokenRetention& retention;
    const StreamedLayers& layers;  ///< those of a layer are there before its last row comes
    std::int64_t n_heads = 0;
    std::int64_t n_prompt = 0;
    std::span<const double> rope{};
  };
  explicit RetainedPrompt(const Source& source);

  /// The first position whose row is asked for.
  std::int64_t first_row() const { return source_.n_prompt - n_rows_; }
  /// A row of a layer, (n_heads, 1, n_prompt); rows come in order, layer by layer.
  void push(std::int64_t layer, std::int64_t position, const NdView<const float, 3>& row);
  /// Behind the last layer's last row.
  KeptPrompt take() { return std::move(out_); }

 private:
  Source source_;
  std::int64_t n_rows_;
  NdArray<float, 3> rows_;  // of a layer: (n_heads, n_rows, n_prompt)
  KeptPrompt out_;
};

}  // namespace qaq
