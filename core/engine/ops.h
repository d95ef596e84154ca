#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/engine/tap.h"
#include "core/model/model_spec.h"
#include "core/tensor/dtype.h"
#include "core/tensor/nd_array.h"
#include "core/tensor/weight_block.h"

namespace qaq {

/// A matrix that a backend holds, (rows, cols) row-major; the handle means something to its Ops
/// only.
struct Tensor {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  DType dtype = DType::f32;
  void* handle = nullptr;
};

/// The rows that one call of forward() works on: positions [first_position, first_position +
/// n_rows).
struct BatchRows {
  std::int64_t first_position = 0;
  std::int64_t n_rows = 0;
};

/// What a matrix of activations is for. Backends that multiply in 16 bits keep the inputs of
/// products so; what is added up stays float32.
enum class ActivationUse { sum, product_input };

/// One output of a linear layer.
struct Projection {
  Tensor weight;  ///< (n, k)
  Tensor bias;    ///< (1, n), or no handle
  Tensor out;     ///< (n_rows, n)
  bool accumulate = false;
};

/// A norm of the residual stream.
struct NormWeights {
  Tensor weight;  ///< (1, hidden_size)
  Tensor bias;    ///< (1, hidden_size), or no handle: of LayerNorm alone
};

/// Query, key and value of some rows, before RoPE; with norms where the family has them.
struct HeadRows {
  Tensor query;       ///< (n_rows, n_heads * D)
  Tensor key;         ///< (n_rows, n_kv_heads * D)
  Tensor value;       ///< (n_rows, n_kv_heads * D)
  Tensor query_norm;  ///< (1, D), or no handle
  Tensor key_norm;    ///< (1, D), or no handle
};

/// A row of a layer's cache to be written: position and KV head of one token's key, value or both.
struct CacheRow {
  std::int64_t head = 0;
  std::int64_t position = 0;
  const float* key = nullptr;  ///< (D) on the host, after RoPE; none: the key stays
  const float* value = nullptr;
};

/// What a backend does, one call a step of a layer. forward() is written over it once, for every
/// backend. A backend may queue the calls; sync() waits for them. What has a body here throws
/// Error{work} where a backend lacks it. Tensors that are written have at
/// least the rows that are asked for; only those are touched.
class Ops {
 public:
  virtual ~Ops() = default;

  /// A weight made ready for use. Its bytes may be kept and read later: they live as long as the
  /// ModelSource. It, or the next sync(), throws Error{input} naming the tensor when it holds NaN,
  /// infinity or what the backend's numbers cannot hold.
  virtual Tensor load_weight(const WeightView& weight) = 0;
  /// A matrix for activations, of the Ops' lifetime.
  virtual Tensor allocate(std::string_view name, std::int64_t rows, std::int64_t cols,
                          ActivationUse use) = 0;
  /// Rows [first, first + n_rows) of an allocated matrix.
  virtual Tensor rows(const Tensor& matrix, std::int64_t first, std::int64_t n_rows) const = 0;

  /// The next calls are about one run of these rows. Rotation angles may depend on where it ends.
  /// `tapped`: attention() and logits() will be given taps.
  virtual void begin(const BatchRows& run, bool tapped) = 0;
  /// out[i] = table[ids[i]].
  virtual void embed(const Tensor& table, std::span<const std::int32_t> ids, const Tensor& out) = 0;
  /// RMSNorm: out = in / sqrt(mean(in^2) + epsilon) * weight, row by row.
  virtual void norm(const Tensor& in, const Tensor& weight, std::int64_t n_rows,
                    const Tensor& out) = 0;
  /// LayerNorm: out = (in - mean(in)) / sqrt(variance(in) + epsilon) * weight + bias, row by row.
  /// May be in place.
  virtual void layer_norm(const Tensor& in, const NormWeights& norm, std::int64_t n_rows,
                          const Tensor& out);
  /// Adds to each of the run's rows of `hidden` the row of `table` that is its position's: learned
  /// positions, behind the spec's position_offset.
  virtual void add_positions(const Tensor& table, const BatchRows& run, const Tensor& hidden);
  /// For each output: out = in weight^T + bias, or out += with `accumulate`. in (n_rows, k).
  virtual void linear(const Tensor& in, std::int64_t n_rows,
                      std::span<const Projection> outputs) = 0;
  /// Norms where there are any, then turns query and key by their positions (half-split RoPE),
  /// keeps the queries for attention() and appends key and value to the layer's cache. `rows` lie
  /// within the run and follow those of the last call for this layer.
  virtual void rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) = 0;
  /// out (n_rows, n_heads * D) = softmax(q k^T / sqrt(D), causal, within the layer's window, less
  /// ALiBi's slopes times distances) v over the layer's cache, for all rows of the run. Taps query,
  /// key, value and attention of the run where `taps` wants them (may be null).
  virtual void attention(std::int64_t layer, const BatchRows& run, const Tensor& out,
                         TapSink* taps) = 0;
  /// Puts key and value, (n_kv_heads, at least n_tokens, D) on the host, key after RoPE, in place
  /// of the layer's cache of positions [0, n_tokens): as they are tapped, or as a quantized cache
  /// gives them back.
  virtual void replace_cache(std::int64_t layer, std::int64_t n_tokens,
                             const NdView<const float, 3>& key,
                             const NdView<const float, 3>& value) = 0;
  /// Puts single rows in place of the layer's, none of its numbers twice. What they point to stays
  /// until the next sync().
  virtual void replace_rows(std::int64_t layer, std::span<const CacheRow> rows);
  /// No later query of a KV head's group sees the positions where `kept` (n_layers, n_kv_heads, n)
  /// is 0; null: all are seen. Throws Error{work} where the backend cannot.
  virtual void set_kept(SharedArray<std::uint8_t, 3> kept);
  /// From the next attention() on each query attends to the `top_k` keys with its largest logits
  /// alone (sparse_softmax_row()); 0: to all. Throws Error{work} where the backend cannot.
  virtual void set_sparse_top_k(std::int64_t top_k);
  /// SwiGLU: silu(gate) * up, an input of products, in place of `gate` or in a matrix of the
  /// backend's own: returns where.
  virtual Tensor activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) = 0;
  /// The spec's activation of rows of `up`, without a gate, in place.
  virtual void activate_plain(const Tensor& up, std::int64_t n_rows);
  /// Logits of rows of `in` (n_rows, hidden_size) against `head` (vocab_size, hidden_size). Rows
  /// that `taps` wants are tapped in blocks; those of the last row stay in last_logits().
  virtual void logits(const BatchRows& rows, const Tensor& in, const Tensor& head,
                      TapSink* taps) = 0;
  virtual void sync() = 0;
  /// The run is given up: when this returns, nothing of it reaches its taps any more.
  virtual void cancel() {}

  /// (vocab_size), valid after sync() until the next logits().
  virtual std::span<const float> last_logits() const = 0;
};

}  // namespace qaq
