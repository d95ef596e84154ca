// A model with pruned weights: which of its matrices are, by how many numbers, and what its results
// are called.
#include "data/models/pruned_model.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "tests/support/model_fixture.h"
#include "tests/support/test_data.h"
#include "tests/support/tiny_models.h"

namespace qaq {
namespace {

constexpr std::int64_t kPlenty = std::numeric_limits<std::int64_t>::max();

std::vector<float> numbers_of(const WeightView& weight) {
  std::vector<float> out(static_cast<std::size_t>(weight.rows * weight.cols));
  decode_matrix(weight, {out.data(), {weight.rows, weight.cols}});
  return out;
}

void expect_pruned(const std::shared_ptr<const ModelFile>& model, double share) {
  const auto other = pruned_model(model, share, kPlenty);
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (!has_weight(model->spec(), role)) continue;
    const std::int64_t n_layers = is_layer_role(role) ? model->spec().shape.n_layers : 1;
    for (std::int64_t layer = 0; layer < n_layers; ++layer) {
      SCOPED_TRACE(testing::Message() << "role " << i << ", layer " << layer);
      const WeightView before = model->weight(role, layer), after = other->weight(role, layer);
      ASSERT_EQ(after.rows, before.rows);
      ASSERT_EQ(after.cols, before.cols);
      ASSERT_EQ(after.name, before.name);
      if (!is_pruned_role(role)) {
        ASSERT_EQ(after.bytes.data(), before.bytes.data()) << "norms, biases, embedding and head";
        continue;
      }
      std::vector<float> want = numbers_of(before);
      const auto n_zero = std::ranges::count(want, 0.0f);
      prune_smallest(want, share);
      const std::vector<float> got = numbers_of(after);
      ASSERT_EQ(got, want);
      const auto n = static_cast<std::int64_t>(share * static_cast<double>(want.size()));
      ASSERT_EQ(std::ranges::count(got, 0.0f), std::max(n, n_zero));
    }
  }
}

TEST(PrunedModel, OfEveryFormatHasSoManyZerosInEachLinearMap) {
  for (const test::TinyModel& tiny : test::kTinyModels) {
    SCOPED_TRACE(tiny.model);
    expect_pruned(open_model(test::test_data_path(tiny.model)), 0.37);
  }
}

TEST(PrunedModel, OfNothingIsTheModelItself) {
  const auto model = open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
  EXPECT_EQ(pruned_model(model, 0, 0), model);
}

TEST(PrunedModel, SaysWhatItIs) {
  const auto model = open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
  const auto third = pruned_model(model, 0.3, kPlenty), half = pruned_model(model, 0.5, kPlenty);
  EXPECT_EQ(third->spec().name, model->spec().name + " (prune_weights 0.3)");
  EXPECT_EQ(third->spec().weights_dtype, model->spec().weights_dtype);
  EXPECT_NE(third->sha256(), model->sha256());
  EXPECT_NE(third->sha256(), half->sha256());
  EXPECT_EQ(third->sha256().size(), 64u);
  EXPECT_EQ(third->sha256(), pruned_model(model, 0.3, kPlenty)->sha256());
}

TEST(PrunedModel, ThreadCountChangesNoByte) {
  const auto model = open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-f16.gguf"));
  const auto bytes_at = [&](int threads) {
    set_thread_count(threads);
    const auto other = pruned_model(model, 0.6, kPlenty);
    std::vector<std::byte> out;
    for (std::int64_t layer = 0; layer < model->spec().shape.n_layers; ++layer) {
      const auto bytes = other->weight(WeightRole::down, layer).bytes;
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
  };
  const auto one = bytes_at(1);
  EXPECT_EQ(bytes_at(3), one);
  set_thread_count(0);
}

TEST(PrunedModel, TooLittleMemoryIsSaidBeforeAnythingIsTaken) {
  const auto model = open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
  try {
    pruned_model(model, 0.3, 1000);
    FAIL() << "was pruned";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::work);
    EXPECT_NE(std::string(error.what()).find("--prune-weights"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("1.00 kB"), std::string::npos) << error.what();
  }
}

// Weights in blocks: q4_1 and others become float32.
TEST(PrunedModel, OfBlocksRunsAsTheModelDoesWhereNothingIsPruned) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const auto model = open_model(path);
  const auto same = pruned_model(model, 1e-9, kPlenty);
  const WeightView before = model->weight(WeightRole::down, 3),
                   after = same->weight(WeightRole::down, 3);
  EXPECT_NE(before.type, WeightType::f32);
  EXPECT_EQ(after.type, WeightType::f32);
  EXPECT_EQ(numbers_of(after), numbers_of(before));
  const auto pruned = pruned_model(model, 0.2, kPlenty);
  const WeightView fifth = pruned->weight(WeightRole::down, 3);
  EXPECT_EQ(std::ranges::count(numbers_of(fifth), 0.0f), fifth.rows * fifth.cols / 5);
}

}  // namespace
}  // namespace qaq
