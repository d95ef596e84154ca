#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "core/engine/backend.h"
#include "core/policy/qaq_params.h"
#include "data/models/model_file.h"
#include "tests/support/test_data.h"

namespace qaq::test {

inline std::shared_ptr<const ModelFile> tiny_llama() {
  return open_model(test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
}

/// Opens engines of `n` tokens.
inline std::function<std::unique_ptr<Engine>()> opener(std::shared_ptr<const ModelFile> model,
                                                       std::int64_t n) {
  return [model = std::move(model), n] { return make_cpu_backend()->open(model, {n, n}); };
}

/// Random ids of the tiny model's vocabulary.
inline std::vector<std::int32_t> token_ids(std::size_t n, std::uint32_t seed = 7) {
  std::mt19937 random(seed);
  std::vector<std::int32_t> out(n);
  for (std::int32_t& id : out) id = static_cast<std::int32_t>(random() % 256);
  return out;
}

inline QaqParams exact_params() {
  QaqParams params;
  params.key.level = params.value.level = Level::no_quantization;
  return params;
}

/// Two bits for everything.
inline QaqParams coarse_params() {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->use_attentions = false;
    side->n_bits_uniform = 2;
    side->outliers_ratio = 0;
  }
  return params;
}

}  // namespace qaq::test
