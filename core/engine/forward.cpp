#include "core/engine/forward.h"

#include <algorithm>
#include <array>

namespace qaq {
namespace {

// Calls body(first row within the run, rows of the chunk) for each chunk.
template <class Body>
void for_chunks(const BatchRows& run, Body body) {
  for (std::int64_t first = 0; first < run.n_rows; first += kChunkRows) {
    const std::int64_t n = std::min(kChunkRows, run.n_rows - first);
    body(first, BatchRows{run.first_position + first, n});
  }
}

// What a chunk's normed rows become before the last product.
Tensor feed_forward(Ops& ops, const ModelSpec& spec, const LayerWeights& w, const Activations& a,
                    std::int64_t n) {
  if (spec.activation == Activation::swiglu) {
    ops.linear(
        a.normed, n,
        std::array{Projection{w.gate, w.gate_bias, a.gate}, Projection{w.up, w.up_bias, a.up}});
    return ops.activate(a.gate, a.up, n);
  }
  ops.linear(a.normed, n, std::array{Projection{w.up, w.up_bias, a.up}});
  ops.activate_plain(a.up, n);
  return a.up;
}

}  // namespace

void forward(Ops& ops, const ModelSpec& spec, const EngineWeights& weights, const Activations& a,
             const ForwardCall& call, const Work& work) {
  const BatchRows run{call.first_position, static_cast<std::int64_t>(call.ids.size())};
  const std::int64_t n_layers = spec.shape.n_layers;
  const auto norm = [&](const Tensor& in, const NormWeights& w, std::int64_t n, const Tensor& out) {
    if (spec.norm == NormKind::layer) return ops.layer_norm(in, w, n, out);
    ops.norm(in, w.weight, n, out);
  };

  ops.begin(run, call.taps != nullptr);
  ops.embed(weights.embedding, call.ids, a.hidden);
  if (spec.embedding_norm) norm(a.hidden, weights.embedding_norm, run.n_rows, a.hidden);
  if (spec.positions == PositionEmbedding::learned) {
    ops.add_positions(weights.position_embedding, run, a.hidden);
  }
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    const LayerWeights& w = weights.layers[static_cast<std::size_t>(layer)];

    for_chunks(run, [&](std::int64_t first, const BatchRows& rows) {
      work.throw_if_stopped();
      const std::int64_t n = rows.n_rows;
      norm(ops.rows(a.hidden, first, n), w.attention_norm, n, a.normed);
      ops.linear(a.normed, n,
                 std::array{Projection{w.query, w.query_bias, a.query},
                            Projection{w.key, w.key_bias, a.key},
                            Projection{w.value, w.value_bias, a.value}});
      ops.rotate_append(layer, rows, {a.query, a.key, a.value, w.query_norm, w.key_norm});
    });
    ops.attention(layer, run, a.mixed, call.taps);
    for_chunks(run, [&](std::int64_t first, const BatchRows& rows) {
      work.throw_if_stopped();
      const std::int64_t n = rows.n_rows;
      const Tensor hidden = ops.rows(a.hidden, first, n);
      // In parallel, the feed-forward part reads the stream before attention is added to it.
      if (spec.parallel_residual) norm(hidden, w.feed_forward_norm, n, a.normed);
      ops.linear(ops.rows(a.mixed, first, n), n,
                 std::array{Projection{w.attention_output, w.attention_output_bias, hidden, true}});
      if (!spec.parallel_residual) norm(hidden, w.feed_forward_norm, n, a.normed);
      const Tensor activated = feed_forward(ops, spec, w, a, n);
      ops.linear(activated, n, std::array{Projection{w.down, w.down_bias, hidden, true}});
    });
    work.report({run.n_rows > 1 ? "prefill" : "decode", layer + 1, n_layers, "layers"});
  }
  for_chunks(run, [&](std::int64_t first, const BatchRows& rows) {
    const bool last = first + rows.n_rows == run.n_rows;
    const bool tapped =
        call.taps && call.taps->wants(TapKind::logits, n_layers, rows.first_position, rows.n_rows);
    if (!last && !tapped) return;
    work.throw_if_stopped();
    norm(ops.rows(a.hidden, first, rows.n_rows), weights.final_norm, rows.n_rows, a.normed);
    ops.logits(rows, a.normed, weights.head, call.taps);
  });
  ops.sync();
}

}  // namespace qaq
