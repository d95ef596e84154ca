#pragma once

#include <cstdint>

#include "core/replay/replay_kernel.h"

namespace qaq::cuda {

/// Shapes of what a replay holds on the GPU. Rows lie `stride` numbers apart, zero behind head_dim.
struct ReplaySizes {
  ReplaySizes(const CaptureInfo& info, const ReplayScope& scope);

  std::int64_t n_layers = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t n_tokens = 0;
  std::int64_t head_dim = 0;
  std::int64_t stride = 0;
  std::int64_t prefix = 0;
  std::int64_t n_rows = 0;
  std::int64_t mark_bytes = 0;  ///< of a row's outliers
  bool keeps_layers = false;
  /// Exact scores are the captured ones. Else they are made from queries and keys: of a capture
  /// that stores float32 numbers these differ by rounding (2e-7 over a row), and no T x T numbers
  /// travel. Queries and keys that were rounded to 16 bits give other scores than the run had (2e-4
  /// over a row of a float16 capture, 2e-3 of bfloat16: a tenth of what 8 bits do, or all of it).
  bool given_scores = false;

  std::int64_t cache() const { return n_kv_heads * n_tokens * stride; }  ///< numbers
  std::int64_t rows() const { return n_heads * n_rows * stride; }        ///< numbers
  std::int64_t scores() const { return n_heads * n_rows * n_tokens; }    ///< numbers
  std::int64_t units() const { return n_kv_heads * prefix; }             ///< at most, in a layer
  std::int64_t row_sums() const { return n_heads * n_rows; }
};

/// How the GPU's memory is divided.
struct ReplayMemory {
  std::int64_t n_slots = 0;  ///< layers that are held at a time; as many as there are: they stay
  std::int64_t n_plans = 0;  ///< that are measured in one launch
  std::int64_t bytes = 0;
};

std::int64_t layer_bytes(const ReplaySizes& sizes);
std::int64_t plan_bytes(const ReplaySizes& sizes);
/// Of them, those that travel there or back.
std::int64_t exchanged_bytes(const ReplaySizes& sizes);
/// Codebooks and positions.
std::int64_t table_bytes(const ReplaySizes& sizes);

/// All layers where they fit `free_bytes` less 512 MiB and many plans will come, else two, of which
/// one arrives while the other is measured. Throws Error{work} where that is too much.
ReplayMemory divide_memory(const ReplaySizes& sizes, std::int64_t free_bytes);

/// Numbers of the codebooks of 0 to 16 bits, one behind the other.
constexpr std::int64_t kCodebookNumbers = (std::int64_t{2} << kMaxBits) - 1;

}  // namespace qaq::cuda
