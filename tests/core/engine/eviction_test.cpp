// Tokens that a model has dropped: who sees them no more, and when they are forgotten.
#include <gtest/gtest.h>
#include <memory>

#include "core/engine/cpu_ops.h"
#include "core/engine/engine.h"
#include "data/models/model_file.h"
#include "tests/support/refusal.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

constexpr std::int64_t kTokens = 60, kPrompt = 40;

std::vector<std::int32_t> some_ids() {
  std::vector<std::int32_t> out;
  for (std::int32_t i = 0; i < kTokens; ++i) out.push_back(17 * i % 251);
  return out;
}

class Eviction : public testing::TestWithParam<std::string> {
 protected:
  Eviction() : model_(open_model(test::test_data_path("oracle/" + GetParam()))) {}

  template <class AnyOps = CpuOps>
  std::unique_ptr<Engine> open() const {
    const EngineLimits limits{kTokens, kTokens};
    return std::make_unique<Engine>(model_, std::make_unique<AnyOps>(model_->spec(), limits),
                                    limits);
  }
  /// KV head h of layer l keeps the tokens t with (t + h + l) % 3 != 0.
  SharedArray<std::uint8_t, 3> thinned(std::int64_t n_tokens) const {
    const ModelShape& s = model_->spec().shape;
    NdArray<std::uint8_t, 3> out({s.n_layers, s.n_kv_heads, n_tokens});
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
        for (std::int64_t t = 0; t < n_tokens; ++t) {
          out(layer, head, t) = (t + head + layer) % 3 != 0;
        }
      }
    }
    return std::make_shared<const NdArray<std::uint8_t, 3>>(std::move(out));
  }
  std::vector<float> logits_of(Engine& engine, std::span<const std::int32_t> ids) const {
    engine.run(ids);
    return {engine.logits().begin(), engine.logits().end()};
  }

  std::shared_ptr<const ModelFile> model_;
  std::vector<std::int32_t> ids_ = some_ids();
  std::span<const std::int32_t> prompt_ = std::span(ids_).first(kPrompt);
  std::span<const std::int32_t> rest_ = std::span(ids_).subspan(kPrompt);
};

TEST_P(Eviction, HoldsForEveryLaterTokenAndItsGroup) {
  const auto engine = open();
  test::TapRecorder taps(model_->spec().shape, kTokens);
  engine->run(prompt_, &taps);
  const auto kept = thinned(kPrompt);
  engine->set_kept(kept);
  engine->run(rest_.first(10), &taps);
  for (std::size_t i = 10; i < rest_.size(); ++i) engine->run(rest_.subspan(i, 1), &taps);
  const ModelShape& s = model_->spec().shape;
  for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
    const std::int64_t window = model_->spec().attention_window(layer);
    for (std::int64_t head = 0; head < s.n_heads; ++head) {
      for (std::int64_t row = 0; row < kTokens; ++row) {
        double sum = 0;
        for (std::int64_t t = 0; t <= row; ++t) {
          const float score = taps.attention(layer, head, row, t);
          const bool gone =
              row >= kPrompt && t < kPrompt && (*kept)(layer, head / s.group_size(), t) == 0;
          const bool outside = window > 0 && t + window <= row;
          ASSERT_EQ(score == 0.0f, gone || outside)
              << "layer " << layer << ", head " << head << ", row " << row << ", key " << t;
          sum += score;
        }
        ASSERT_NEAR(sum, 1, 1e-6);
      }
    }
  }
}

TEST_P(Eviction, OfNothingGivesTheSameBytes) {
  const auto plain = open(), engine = open();
  plain->run(prompt_);
  engine->run(prompt_);
  const ModelShape& s = model_->spec().shape;
  engine->set_kept(std::make_shared<const NdArray<std::uint8_t, 3>>(
      NdArray<std::uint8_t, 3>({s.n_layers, s.n_kv_heads, kPrompt}, std::uint8_t{1})));
  EXPECT_EQ(logits_of(*engine, rest_.first(7)), logits_of(*plain, rest_.first(7)));
  EXPECT_EQ(logits_of(*engine, rest_.subspan(7, 1)), logits_of(*plain, rest_.subspan(7, 1)));
}

TEST_P(Eviction, IsForgottenWithItsTokens) {
  const auto plain = open(), engine = open();
  plain->run(prompt_);
  engine->run(prompt_);
  engine->set_kept(thinned(kPrompt));
  const auto evicted = logits_of(*engine, rest_.first(5));
  const auto whole = logits_of(*plain, rest_.first(5));
  EXPECT_NE(evicted, whole);
  engine->keep(kPrompt);
  EXPECT_EQ(logits_of(*engine, rest_.first(5)), evicted) << "tokens behind them are no matter";
  // As many of the prompt as are left are still evicted, and no more.
  engine->keep(20);
  const auto cut = logits_of(*engine, rest_);
  plain->keep(20);
  plain->set_kept(thinned(20));
  EXPECT_EQ(logits_of(*plain, rest_), cut);
  engine->keep(0);
  const auto fresh = open();
  EXPECT_EQ(logits_of(*engine, ids_), logits_of(*fresh, ids_));
  engine->set_kept(thinned(kTokens));
  engine->set_kept(nullptr);
  engine->keep(kPrompt);
  EXPECT_EQ(logits_of(*engine, rest_.first(5)), whole);
}

TEST_P(Eviction, RefusesWhatDoesNotFit) {
  const auto engine = open();
  engine->run(prompt_);
  EXPECT_NE(test::refusal([&] { engine->set_kept(thinned(kPrompt + 1)); }, ErrorKind::usage)
                .find("x 40 numbers"),
            std::string::npos);
  const auto one =
      std::make_shared<const NdArray<std::uint8_t, 3>>(NdArray<std::uint8_t, 3>({1, 1, kPrompt}));
  EXPECT_NE(test::refusal([&] { engine->set_kept(one); }, ErrorKind::usage), "");
}

TEST_P(Eviction, IsRefusedWhereTheBackendCannot) {
  struct Plain : CpuOps {
    using CpuOps::CpuOps;
    void set_kept(SharedArray<std::uint8_t, 3> kept) override { Ops::set_kept(kept); }
  };
  const auto engine = open<Plain>();
  engine->run(prompt_);
  EXPECT_NO_THROW(engine->set_kept(nullptr));
  EXPECT_NE(test::refusal([&] { engine->set_kept(thinned(kPrompt)); }, ErrorKind::work)
                .find("--device cpu"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Models, Eviction,
                         testing::Values("tiny_llama/tiny_llama-f32.gguf", "tiny_mistral",
                                         "tiny_llama_head_dim"),
                         [](const auto& named) {
                           return named.param.substr(0, named.param.find('/'));
                         });

}  // namespace
}  // namespace qaq
