#include "core/evaluate/divergence.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/evaluate/tiny_runs.h"

namespace qaq {
namespace {

using Ids = std::vector<std::int32_t>;

Ids plain_greedy(const Ids& prompt, std::int64_t n) {
  const auto engine = test::opener(test::tiny_llama(), 64)();
  engine->run(prompt);
  Ids out;
  while (std::ssize(out) < n) {
    out.push_back(engine->greedy_token());
    engine->run({&out.back(), 1});
  }
  return out;
}

TEST(Divergence, WithoutQuantizationTheTextIsTheModels) {
  const Ids prompt = test::token_ids(14);
  PrefixRun run(test::opener(test::tiny_llama(), 64), {test::exact_params()});
  for (const std::int64_t n_prefix : {14, 5}) {
    const auto result = generate_divergence(run, {prompt, n_prefix, 12, {}}, {});
    EXPECT_EQ(result.reference, plain_greedy(prompt, 12));
    EXPECT_EQ(result.generated[0], result.reference);
    EXPECT_EQ(result.first_difference[0], -1);
    // Behind a whole prompt the first token comes from the pass before quantization.
    EXPECT_EQ(result.along.margin.size(), n_prefix == 14 ? 11u : 12u);
    EXPECT_EQ(*std::ranges::max_element(result.along.settings[0].kl), 0);
    EXPECT_TRUE(std::isnan(result.along.settings[0].attention_error)) << "nobody measured it";
  }
}

TEST(Divergence, TheTextPartsAtTheFirstFlipAndThenGoesItsOwnWay) {
  const Ids prompt = test::token_ids(14);
  PrefixRun run(test::opener(test::tiny_llama(), 64),
                {test::exact_params(), test::coarse_params()});
  const auto result = generate_divergence(run, {prompt, 10, 20, {}}, {});
  const std::int64_t at = result.first_difference[1];
  ASSERT_GE(at, 0) << "two bits are to change this text";
  EXPECT_EQ(result.first_difference[0], -1);
  const auto& same_top = result.along.settings[1].same_top;
  EXPECT_EQ(std::ranges::find(same_top, 0) - same_top.begin(), at);
  const Ids& generated = result.generated[1];
  ASSERT_EQ(generated.size(), 20u);
  EXPECT_TRUE(std::equal(generated.begin(), generated.begin() + at, result.reference.begin()));
  EXPECT_NE(generated[static_cast<std::size_t>(at)],
            result.reference[static_cast<std::size_t>(at)]);
  // The same by hand: the quantized cache, fed its own tokens from the beginning.
  PrefixRun alone(test::opener(test::tiny_llama(), 64), {test::coarse_params()});
  alone.set_prefix(std::span(prompt).first(10), {});
  Engine& engine = alone.quantized(0);
  engine.run(std::span(prompt).subspan(10));
  Ids expected;
  while (expected.size() < 20) {
    expected.push_back(engine.greedy_token());
    engine.run({&expected.back(), 1});
  }
  EXPECT_EQ(generated, expected);
}

TEST(Divergence, AnEndTokenEndsBothTexts) {
  const Ids prompt = test::token_ids(14);
  const Ids plain = plain_greedy(prompt, 12);
  const auto end = std::ranges::find_if(plain, [&](std::int32_t id) { return id != plain[0]; });
  ASSERT_NE(end, plain.end());
  PrefixRun run(test::opener(test::tiny_llama(), 64), {test::exact_params()});
  const auto result = generate_divergence(run, {prompt, 14, 12, {*end}}, {});
  EXPECT_EQ(result.reference, Ids(plain.begin(), end));
  EXPECT_EQ(result.generated[0], result.reference);
}

TEST(Divergence, APrefixLiesWithinThePrompt) {
  const Ids prompt = test::token_ids(6);
  PrefixRun run(test::opener(test::tiny_llama(), 64), {test::exact_params()});
  for (const std::int64_t n_prefix : {0, 7}) {
    EXPECT_THROW(generate_divergence(run, {prompt, n_prefix, 3, {}}, {}), Error);
  }
}

}  // namespace
}  // namespace qaq
