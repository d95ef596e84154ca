#include "core/engine/forward.h"

namespace qaq {

void forward(Ops& ops, const ModelSpec& spec, const EngineWeights& weights, const Activations& a,
             const ForwardCall& call, const Work& work) {
  const auto n_rows = static_cast<std::int64_t>(call.ids.size());
  const BatchRows batch{call.first_position, n_rows};
  const std::int64_t n_layers = spec.shape.n_layers;

  ops.embed(weights.embedding, call.ids, a.hidden);
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.throw_if_stopped();
    const LayerWeights& w = weights.layers[static_cast<std::size_t>(layer)];

    ops.norm(a.hidden, w.attention_norm, spec.norm_epsilon, n_rows, a.normed);
    ops.linear(a.normed, w.query, n_rows, a.query, false);
    ops.linear(a.normed, w.key, n_rows, a.key, false);
    ops.linear(a.normed, w.value, n_rows, a.value, false);
    ops.rotate_append(layer, batch, a.query, a.key, a.value);
    ops.attention(layer, batch, a.query, a.mixed, call.taps);
    ops.linear(a.mixed, w.attention_output, n_rows, a.hidden, true);

    ops.norm(a.hidden, w.feed_forward_norm, spec.norm_epsilon, n_rows, a.normed);
    ops.linear(a.normed, w.gate, n_rows, a.gate, false);
    ops.linear(a.normed, w.up, n_rows, a.up, false);
    ops.activate(a.gate, a.up, n_rows);
    ops.linear(a.gate, w.down, n_rows, a.hidden, true);

    work.report({n_rows > 1 ? "prefill" : "decode", layer + 1, n_layers, "layers"});
  }
  ops.norm(a.hidden, weights.final_norm, spec.norm_epsilon, n_rows, a.normed);
  ops.logits(batch, a.normed, weights.head, call.taps);
  ops.sync();
}

}  // namespace qaq
