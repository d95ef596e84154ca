// Weights as stored and weights as float32 are the same model; only their bytes differ.
#include <gtest/gtest.h>

#include "core/engine/backend.h"
#include "core/engine/memory_plan.h"
#include "data/models/model_file.h"
#include "tests/support/deviation.h"
#include "tests/support/model_fixture.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

// Numbers that the model's matrices and vectors hold, a tied head once.
std::int64_t n_weights(const ModelSource& model) {
  std::int64_t n = 0;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (!has_weight(model.spec(), role)) continue;
    if (role == WeightRole::head && model.spec().tied_embeddings) continue;
    const auto [rows, cols] = weight_shape(role, model.spec().shape);
    n += rows * cols * (is_layer_role(role) ? model.spec().shape.n_layers : 1);
  }
  return n;
}

void expect_same_model(const std::string& path) {
  const auto model = open_model(path);
  const std::vector<std::int32_t> ids{5, 9, 200, 17, 42, 3, 77, 120};
  const auto n = static_cast<std::int64_t>(ids.size());
  const EngineLimits stored{.max_tokens = n, .max_batch = n};
  const EngineLimits decoded{.max_tokens = n, .max_batch = n, .dequantize_weights = true};
  test::TapRecorder of_stored(model->spec().shape, n), of_decoded(model->spec().shape, n);
  const auto run = [&](const EngineLimits& limits, test::TapRecorder& taps) {
    const auto engine = make_cpu_backend()->open(model, limits);
    engine->run({ids.data(), 6}, &taps);
    for (std::size_t i = 6; i < ids.size(); ++i) engine->run({&ids[i], 1}, &taps);
  };
  run(stored, of_stored);
  run(decoded, of_decoded);
  test::Deviation logits, key;
  logits.add<float, float>(of_decoded.logits.span(), of_stored.logits.span());
  key.add<float, float>(of_decoded.key.span(), of_stored.key.span());
  EXPECT_LE(logits.max_relative(), 1e-5);
  EXPECT_LE(key.max_relative(), 1e-5);

  const auto backend = make_cpu_backend();
  const auto planned = [&](const EngineLimits& limits) {
    return backend->plan(*model, limits).items.front();
  };
  ASSERT_EQ(planned(stored).name, "weights");
  EXPECT_EQ(planned(decoded).bytes, 4 * n_weights(*model));
  EXPECT_LT(planned(stored).bytes, 4 * n_weights(*model));
  EXPECT_EQ(backend->plan(*model, decoded).total() - backend->plan(*model, stored).total(),
            planned(decoded).bytes - planned(stored).bytes);
}

TEST(Dequantized, Float16WeightsGiveTheSameNumbers) {
  expect_same_model(test::test_data_path("oracle/tiny_llama/tiny_llama-f16.gguf"));
}

TEST(Dequantized, Q4WeightsGiveTheSameNumbers) {
  QAQ_SMOLLM2_OR_SKIP(path);
  expect_same_model(path);
}

}  // namespace
}  // namespace qaq
