// Which captures may be held against each other, and over what.
#include "core/analysis/alignment.h"

#include <gtest/gtest.h>

#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

CaptureInfo info_of(std::int64_t n_tokens = 24, std::int64_t n_prompt = 10) {
  CaptureInfo info = synthetic_info({.n_tokens = n_tokens});
  info.n_prompt = n_prompt;
  return info;
}

TEST(Alignment, AllOfTwoRunsOfOneCapture) {
  const Alignment both = align(info_of(), info_of());
  EXPECT_TRUE(both.allowed()) << both.refusal;
  EXPECT_EQ(both.remark, "");
  EXPECT_EQ(both.n_tokens, 24);
  EXPECT_EQ(both.layers, (std::vector<std::int32_t>{0, 1}));
}

TEST(Alignment, AnotherModelIsRefused) {
  CaptureInfo other = info_of();
  other.shape.n_kv_heads = 1;
  EXPECT_NE(align(info_of(), other).refusal.find("4 over 2"), std::string::npos)
      << align(info_of(), other).refusal;
  CaptureInfo qwen = info_of();
  qwen.architecture = "qwen2";
  EXPECT_NE(align(info_of(), qwen).refusal.find("qwen2"), std::string::npos);

  CaptureInfo first = info_of(), second = info_of();
  first.model_sha256 = std::string(64, 'a');
  second.model_sha256 = std::string(64, 'b');
  EXPECT_NE(align(first, second).refusal.find("SHA-256 aaaaaaaaaaaa... and bbbbbbbbbbbb..."),
            std::string::npos)
      << align(first, second).refusal;
  second.model_sha256.clear();
  EXPECT_TRUE(align(first, second).allowed()) << "who does not say is taken at its shape";
}

TEST(Alignment, AnotherTokenizerIsRefused) {
  CaptureInfo other = info_of();
  other.token_bytes[3] = "else";
  other.token_text[3] = "else";
  const Alignment both = align(info_of(), other);
  EXPECT_NE(both.refusal.find("the tokenizers differ: id"), std::string::npos) << both.refusal;
  EXPECT_NE(both.refusal.find("\"else\""), std::string::npos);
}

TEST(Alignment, AnotherPromptIsRefusedWithTheTokenThatDiffers) {
  CaptureInfo other = info_of();
  other.token_ids[9] += 1;
  other.token_text[9] = "other";
  const Alignment both = align(info_of(), other);
  EXPECT_NE(both.refusal.find("the prompts differ: token 9"), std::string::npos) << both.refusal;
}

TEST(Alignment, AnotherContinuationIsAlignedOnTheCommonPrefix) {
  CaptureInfo other = info_of();
  other.token_ids[15] += 1;  // behind the prompt
  const Alignment both = align(info_of(), other);
  EXPECT_TRUE(both.allowed()) << both.refusal;
  EXPECT_EQ(both.n_tokens, 15);
  EXPECT_EQ(both.remark, "A has 24 tokens and B 24: compared over the 15 that they begin with");
}

TEST(Alignment, AnotherLengthAndOtherLayersAreSaid) {
  CaptureInfo shorter = info_of(18);
  shorter.layers = {1};
  const Alignment both = align(info_of(), shorter);
  EXPECT_TRUE(both.allowed());
  EXPECT_EQ(both.n_tokens, 18);
  EXPECT_EQ(both.layers, std::vector<std::int32_t>{1});
  EXPECT_EQ(both.remark,
            "A has 24 tokens and B 18: compared over the 18 that they begin with; of layers 1");
}

TEST(Alignment, NoCommonLayerIsRefused) {
  CaptureInfo a = info_of(), b = info_of();
  a.layers = {0};
  b.layers = {1};
  EXPECT_EQ(align(a, b).refusal, "no layer is in both: A holds 0, B 1");
}

TEST(Alignment, RowsAreThoseThatBothCaptured) {
  CaptureInfo a = info_of(), b = info_of(20);
  a.query_token = {4, 7, 8, 19, 20};
  b.query_token = {7, 8, 9, 19};
  const auto rows = row_pairs(align(a, b), a, b);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].position, 7);
  EXPECT_EQ(rows[0].in_a, 1);
  EXPECT_EQ(rows[0].in_b, 0);
  EXPECT_EQ(rows[2].position, 19);
  EXPECT_EQ(rows[2].in_a, 3);
  EXPECT_EQ(rows[2].in_b, 3);
}

}  // namespace
}  // namespace qaq::test
