#pragma once

#include "core/model/model_spec.h"

namespace qaq {

// Published sizes of models that costs are worked out for.

inline ModelSpec smollm2_135m() {
  ModelSpec spec;
  spec.shape = {.n_layers = 30,
                .n_heads = 9,
                .n_kv_heads = 3,
                .head_dim = 64,
                .hidden_size = 576,
                .intermediate_size = 1536,
                .vocab_size = 49152,
                .context_length = 8192};
  spec.rope.n_rotary_dim = 64;
  spec.tied_embeddings = true;
  return spec;
}

inline ModelSpec llama2_7b() {
  ModelSpec spec;
  spec.shape = {.n_layers = 32,
                .n_heads = 32,
                .n_kv_heads = 32,
                .head_dim = 128,
                .hidden_size = 4096,
                .intermediate_size = 11008,
                .vocab_size = 32000,
                .context_length = 4096};
  spec.rope.n_rotary_dim = 128;
  return spec;
}

inline ModelSpec llama2_13b() {
  ModelSpec spec = llama2_7b();
  spec.shape.n_layers = 40;
  spec.shape.n_heads = spec.shape.n_kv_heads = 40;
  spec.shape.hidden_size = 5120;
  spec.shape.intermediate_size = 13824;
  return spec;
}

inline ModelSpec llama2_70b() {
  ModelSpec spec = llama2_7b();
  spec.shape.n_layers = 80;
  spec.shape.n_heads = 64;
  spec.shape.n_kv_heads = 8;
  spec.shape.hidden_size = 8192;
  spec.shape.intermediate_size = 28672;
  return spec;
}

}  // namespace qaq
