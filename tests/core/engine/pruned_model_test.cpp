// Models with pruned weights run: with the numbers of the model where nothing is pruned.
#include "data/models/pruned_model.h"

#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "core/engine/backend.h"
#include "tests/support/deviation.h"
#include "tests/support/model_fixture.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

constexpr std::int64_t kPlenty = std::numeric_limits<std::int64_t>::max();

std::vector<float> logits_of(const std::shared_ptr<const ModelFile>& model) {
  const std::vector<std::int32_t> ids{5, 9, 200, 17, 42, 3};
  const auto engine = make_cpu_backend()->open(model, {6, 6});
  engine->run(ids);
  return {engine->logits().begin(), engine->logits().end()};
}

// A share that no matrix has a whole weight for: nothing is pruned, and everything is copied.
TEST(PrunedModel, WithoutAWholeWeightToPruneGivesTheModelsLogits) {
  for (const char* name :
       {"oracle/tiny_llama/tiny_llama-f32.gguf", "oracle/tiny_llama/tiny_llama-f16.gguf",
        "oracle/tiny_llama/bf16_sharded"}) {
    const auto model = open_model(test::test_data_path(name));
    EXPECT_EQ(logits_of(pruned_model(model, 1e-9, kPlenty)), logits_of(model)) << name;
    EXPECT_NE(logits_of(pruned_model(model, 0.5, kPlenty)), logits_of(model)) << name;
  }
}

// Weights in blocks become float32, whose products are summed in the same order.
TEST(PrunedModel, OfBlocksRunsAsTheModelDequantized) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const auto model = open_model(path);
  test::Deviation logits;
  const std::vector<float> ours = logits_of(pruned_model(model, 1e-9, kPlenty)),
                           whole = logits_of(model);
  logits.add<float, float>(ours, whole);
  EXPECT_LE(logits.max_relative(), 1e-5);
  EXPECT_NE(logits_of(pruned_model(model, 0.3, kPlenty)), whole);
}

}  // namespace
}  // namespace qaq
