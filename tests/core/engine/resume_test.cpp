// A cache from elsewhere: what was tapped, put back, gives the same bytes as having run the tokens.

#include <gtest/gtest.h>
#include <memory>
#include <random>

#include "core/base/error.h"
#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

constexpr std::int64_t kTokens = 70;  // more than two panels of keys

std::vector<std::int32_t> random_ids() {
  std::mt19937 random(5);
  std::vector<std::int32_t> out(kTokens);
  for (std::int32_t& id : out) id = static_cast<std::int32_t>(random() % 256);
  return out;
}

SharedArray<float, 3> layer_of(const NdArray<float, 4>& all, std::int64_t layer) {
  NdArray<float, 3> out({all.shape(1), all.shape(2), all.shape(3)});
  std::ranges::copy(all.sub(layer).span(), out.data());
  return std::make_shared<const NdArray<float, 3>>(std::move(out));
}

class EngineResume : public testing::TestWithParam<std::string> {
 protected:
  EngineResume() : model_(open_model(test::test_data_path("oracle/" + GetParam()))) {}
  std::unique_ptr<Engine> open(std::int64_t max_tokens = kTokens) const {
    return make_cpu_backend()->open(model_, {max_tokens, max_tokens});
  }
  std::shared_ptr<const ModelFile> model_;
};

TEST_P(EngineResume, GoesOnAsIfTheTokensHadBeenRun) {
  const auto ids = random_ids();
  const std::span<const std::int32_t> all(ids);
  const auto reference = open();
  test::TapRecorder taps(model_->spec().shape, kTokens);
  reference->run(all.first(45), &taps);

  const auto other = open();
  other->run(all.subspan(10, 60));  // to be forgotten
  // The recorder's arrays are longer than the 45 tokens: what is behind them is not read.
  other->resume(45, [&](std::int64_t layer) {
    return Engine::LayerCache{layer_of(taps.key, layer), layer_of(taps.value, layer)};
  });
  EXPECT_EQ(other->n_tokens(), 45);
  reference->run(all.subspan(45, 24));
  other->run(all.subspan(45, 24));
  EXPECT_TRUE(std::ranges::equal(reference->logits(), other->logits()));
  reference->run(all.last(1));
  other->run(all.last(1));
  EXPECT_TRUE(std::ranges::equal(reference->logits(), other->logits())) << "decoded, too";
}

TEST_P(EngineResume, RowsThatAreReplacedAreMet) {
  const auto ids = random_ids();
  const std::span<const std::int32_t> all(ids);
  const ModelShape& s = model_->spec().shape;
  const auto other = open();
  test::TapRecorder taps(s, kTokens);
  other->run(all.first(45), &taps);
  // Of each layer the key of one head and the value of another at tokens in two panels, halved.
  const auto engine = open();
  engine->run(all.first(45));
  for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
    const auto halve = [](const NdView<float, 1>& row) {
      for (float& x : row.span()) x /= 2;
      return row.data();
    };
    const std::int64_t last = s.n_kv_heads - 1;
    const std::vector<CacheRow> rows{
        {.head = 0, .position = 3, .key = halve(taps.key.sub(layer, 0, 3))},
        {.head = last, .position = 3, .value = halve(taps.value.sub(layer, last, 3))},
        {.head = last,
         .position = 44,
         .key = halve(taps.key.sub(layer, last, 44)),
         .value = halve(taps.value.sub(layer, last, 44))}};
    engine->replace_rows(layer, rows);
  }
  other->run(all.subspan(45, 1));
  const std::vector<float> before(other->logits().begin(), other->logits().end());
  other->resume(45, [&](std::int64_t layer) {
    return Engine::LayerCache{layer_of(taps.key, layer), layer_of(taps.value, layer)};
  });
  other->run(all.subspan(45, 1));
  engine->run(all.subspan(45, 1));
  EXPECT_TRUE(std::ranges::equal(other->logits(), engine->logits()));
  EXPECT_FALSE(std::ranges::equal(before, engine->logits()));
}

TEST_P(EngineResume, RefusesWhatDoesNotFit) {
  const ModelShape& s = model_->spec().shape;
  const auto give = [&](std::int64_t heads, std::int64_t tokens, std::int64_t channels) {
    return [=](std::int64_t) {
      const auto array =
          std::make_shared<const NdArray<float, 3>>(NdArray<float, 3>({heads, tokens, channels}));
      return Engine::LayerCache{array, array};
    };
  };
  const auto engine = open(20);
  EXPECT_NO_THROW(engine->resume(20, give(s.n_kv_heads, 20, s.head_dim)));
  EXPECT_THROW(engine->resume(21, give(s.n_kv_heads, 21, s.head_dim)), Error);
  EXPECT_THROW(engine->resume(9, give(s.n_kv_heads, 8, s.head_dim)), Error);
  EXPECT_THROW(engine->resume(9, give(s.n_kv_heads + 1, 9, s.head_dim)), Error);
  EXPECT_THROW(engine->resume(9, give(s.n_kv_heads, 9, s.head_dim - 1)), Error);
}

INSTANTIATE_TEST_SUITE_P(Models, EngineResume,
                         testing::Values("tiny_llama/tiny_llama-f32.gguf", "tiny_mistral",
                                         "tiny_llama_head_dim"),
                         [](const auto& named) {
                           return named.param.substr(0, named.param.find('/'));
                         });

}  // namespace
}  // namespace qaq
