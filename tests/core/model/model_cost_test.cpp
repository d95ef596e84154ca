// Costs held against numbers that were worked out by hand from published shapes.
#include "core/model/model_cost.h"

#include <gtest/gtest.h>

#include "tests/support/known_shapes.h"

namespace qaq {
namespace {

using test::llama2_7b;
using test::smollm2_135m;

ModelSpec qwen2_0_5b() {
  ModelSpec spec;
  spec.shape = {.n_layers = 24,
                .n_heads = 14,
                .n_kv_heads = 2,
                .head_dim = 64,
                .hidden_size = 896,
                .intermediate_size = 4864,
                .vocab_size = 151936,
                .context_length = 32768};
  spec.tied_embeddings = true;
  spec.pieces = {.query_bias = true, .key_bias = true, .value_bias = true};
  return spec;
}

TEST(ParameterCount, IsThePublishedOne) {
  EXPECT_EQ(parameter_count(smollm2_135m()), 134'515'008);
  EXPECT_EQ(parameter_count(llama2_7b()), 6'738'415'616);
  EXPECT_EQ(parameter_count(qwen2_0_5b()), 494'032'768);
}

TEST(CacheBytesPerToken, AreTwoNumbersAChannel) {
  EXPECT_EQ(cache_bytes_per_token(smollm2_135m(), 2), 2 * 30 * 3 * 64 * 2);
  EXPECT_EQ(cache_bytes_per_token(llama2_7b(), 2), 512 * 1024);
  EXPECT_EQ(cache_bytes_per_token(llama2_7b(), 4), 1024 * 1024);
}

TEST(TokenOperations, AreTwoAMultiplicationAndAddition) {
  const TokenOperations one = token_operations(smollm2_135m(), 1);
  // Projections of query and output 576 x 576, of key and value 192 x 576; one key: 9 heads of 64.
  EXPECT_EQ(one.attention, 30 * (2 * 2 * 576 * 576 + 2 * 2 * 192 * 576 + 4 * 9 * 64));
  EXPECT_EQ(one.feed_forward, 30 * 3 * 2 * 576 * 1536);
  EXPECT_EQ(one.head, 2 * 576 * 49152);
  EXPECT_EQ(one.total(), one.attention + one.feed_forward + one.head);
  const TokenOperations many = token_operations(smollm2_135m(), 1000);
  EXPECT_EQ(many.attention - one.attention, 999LL * 30 * 4 * 9 * 64);
  EXPECT_EQ(many.feed_forward, one.feed_forward);
}

TEST(TokenOperations, OfLlama2At4096Keys) {
  const TokenOperations cost = token_operations(llama2_7b(), 4096);
  EXPECT_EQ(cost.attention, 32LL * (4 * 2 * 4096 * 4096 + 4 * 4096 * 4096));
  EXPECT_EQ(cost.feed_forward, 32LL * 6 * 4096 * 11008);
  EXPECT_EQ(cost.head, 2LL * 4096 * 32000);
}

TEST(TokenOperations, AWindowCutsTheKeys) {
  ModelSpec spec = smollm2_135m();
  spec.attention_windows.assign(30, 0);
  spec.attention_windows[7] = 100;
  const std::int64_t per_key = 4 * 9 * 64;
  EXPECT_EQ(
      token_operations(smollm2_135m(), 1000).attention - token_operations(spec, 1000).attention,
      900 * per_key);
  EXPECT_EQ(token_operations(spec, 100).attention, token_operations(smollm2_135m(), 100).attention);
}

TEST(PrefillOperations, AreTheMeanOfTheTokensWithOneHead) {
  ModelSpec spec = smollm2_135m();
  for (const std::int64_t window : {0, 3}) {
    spec.attention_windows.assign(30, window);
    TokenOperations sum;
    for (std::int64_t n_keys = 1; n_keys <= 8; ++n_keys) {
      sum.attention += token_operations(spec, n_keys).attention;
      sum.feed_forward += token_operations(spec, n_keys).feed_forward;
    }
    const TokenOperations mean = prefill_operations(spec, 8);
    EXPECT_EQ(mean.attention, sum.attention / 8) << "window " << window;
    EXPECT_EQ(mean.feed_forward, sum.feed_forward / 8);
    EXPECT_EQ(mean.head, 2 * 576 * 49152 / 8);
  }
  EXPECT_EQ(prefill_operations(spec, 0).total(), 0);
}

}  // namespace
}  // namespace qaq
