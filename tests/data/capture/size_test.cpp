// The size told before a capture is the size found after it, within 2 % from 64 tokens on.
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>

#include "data/capture/capture_writer.h"
#include "tests/data/capture/synthetic_run.h"
#include "tests/support/known_shapes.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

/// As SmolLM2-135M, with fewer layers and a smaller vocabulary, to be quick.
ModelShape model_shape() {
  ModelShape shape = smollm2_135m().shape;
  shape.n_layers = 10;
  shape.vocab_size = 500;
  return shape;
}

struct Case {
  AttentionProfile profile = AttentionProfile::full;
  DType dtype = DType::f32;
  std::int64_t n_tokens = 64;
  bool may_end_early = false;
  bool has_queries = true;
};

void PrintTo(const Case& c, std::ostream* out) {
  static constexpr const char* kProfiles[] = {"full", "window", "derive", "none"};
  *out << kProfiles[static_cast<int>(c.profile)] << '_' << name_of(c.dtype) << '_' << c.n_tokens
       << (c.may_end_early ? "_early" : "") << (c.has_queries ? "" : "_no_queries");
}

class PredictedSize : public testing::TestWithParam<Case> {};

TEST_P(PredictedSize, IsWithinTwoPercent) {
  const Case& c = GetParam();
  const SyntheticRun run = make_run(model_shape(), c.n_tokens, c.n_tokens);
  std::vector<std::int32_t> layers;
  for (std::int32_t layer = 0; layer < run.shape.n_layers; ++layer) layers.push_back(layer);
  CapturePlan plan = plan_of(run, layers);
  plan.info.profile = c.profile;
  plan.info.dtype = c.dtype;
  plan.info.has_queries = c.has_queries;
  plan.may_end_early = c.may_end_early;
  plan.attention_window = 8;
  plan.top_k = 32;
  TemporaryFolder folder;
  const auto writer = CaptureWriter::create(folder.file("a.h5"), plan);
  put_run(run, *writer);
  writer->finish(run.tokens, R"({"version": "0.1.0"})");
  const auto real = static_cast<double>(std::filesystem::file_size(folder.file("a.h5")));
  const auto predicted = static_cast<double>(predicted_capture_bytes(plan));
  EXPECT_LE(std::abs(predicted - real), 0.02 * real)
      << "predicted " << predicted << ", real " << real;
}

INSTANTIATE_TEST_SUITE_P(
    Plans, PredictedSize,
    testing::Values(
        Case{}, Case{.n_tokens = 200}, Case{.dtype = DType::f16},
        Case{.n_tokens = 150, .may_end_early = true}, Case{.may_end_early = true},
        Case{.profile = AttentionProfile::window, .dtype = DType::bf16},
        Case{.profile = AttentionProfile::window, .may_end_early = true},
        Case{.profile = AttentionProfile::derive, .dtype = DType::f16},
        Case{.profile = AttentionProfile::derive, .n_tokens = 300},
        Case{.profile = AttentionProfile::none},
        Case{.profile = AttentionProfile::none, .dtype = DType::f16, .has_queries = false},
        Case{.profile = AttentionProfile::none,
             .dtype = DType::bf16,
             .n_tokens = 256,
             .may_end_early = true,
             .has_queries = false}),
    testing::PrintToStringParamName());

CapturePlan plan_of_7b(std::int64_t n_prompt, std::int64_t max_tokens) {
  CapturePlan plan;
  plan.info.shape = llama2_7b().shape;
  for (std::int32_t layer = 0; layer < 32; ++layer) plan.info.layers.push_back(layer);
  plan.info.dtype = DType::f16;
  plan.info.n_prompt = n_prompt;
  plan.max_tokens = max_tokens;
  plan.top_k = 32;
  return plan;
}

// LLaMA-2 7B, 1024 tokens, by hand: of Q, K and V 3 * 32 heads * 128 numbers a token and layer; of
// scores 32 triangles a layer, rows of 4, 4, 4, 4, 8 ... numbers; of logits the token's, the
// greatest, their sum and 32 of the top.
TEST(PredictedLink, IsWhatLeavesTheGpu) {
  CapturePlan plan = plan_of_7b(1024, 1024);
  const std::int64_t qkv = 805'306'368, triangles = 2'155'872'256, logits = 274'432;
  plan.info.profile = AttentionProfile::derive;
  EXPECT_EQ(predicted_link_bytes(plan), qkv + logits);
  plan.info.profile = AttentionProfile::full;
  EXPECT_EQ(predicted_link_bytes(plan), qkv + triangles + logits);
  plan.info.profile = AttentionProfile::none;
  plan.info.has_queries = false;
  EXPECT_EQ(predicted_link_bytes(plan), qkv / 3 * 2 + logits);
}

// The same model, 4096 tokens: of each of 1024 heads the last 32 rows, of 4068 to 4096 numbers,
// and of the 4064 before them an entropy a row and a sum a key.
TEST(PredictedLink, OfAWindowIsItsRowsAndStatisticsOfTheOthers) {
  CapturePlan plan = plan_of_7b(4096, 4096);
  const std::int64_t qkv = 3'221'225'472, logits = 1'097'728;
  plan.info.profile = AttentionProfile::full;
  EXPECT_EQ(predicted_link_bytes(plan), qkv + 34'393'292'800 + logits);
  plan.info.profile = AttentionProfile::window;
  plan.attention_window = 32;
  const std::int64_t rows = 535'035'904, statistics = 33'292'288;
  EXPECT_EQ(predicted_link_bytes(plan), qkv + rows + statistics + logits);
  // A run that may end with its prompt: any 32 of the last rows may be the last.
  plan.info.n_prompt = 4092;
  plan.may_end_early = true;
  const std::int64_t four_rows = 4 * 4064 * 4 * 1024, less_statistics = 4 * 8 * 1024;
  EXPECT_EQ(predicted_link_bytes(plan),
            qkv + rows + four_rows + statistics - less_statistics + logits);
  // Importance takes five rows, however few are stored; decoded rows go whole: six times four, of
  // 1004 to 1024 numbers.
  plan = plan_of_7b(1000, 1024);
  plan.info.profile = AttentionProfile::window;
  plan.attention_window = 1;
  EXPECT_EQ(predicted_link_bytes(plan), 805'306'368 + 107'872'256 + 274'432);
  // There is nothing to sum.
  plan = plan_of_7b(1, 1024);
  plan.info.profile = AttentionProfile::window;
  plan.attention_window = 1;
  EXPECT_EQ(predicted_link_bytes(plan), 805'306'368 + 2'155'872'256 + 274'432);
}

}  // namespace
}  // namespace qaq::test
