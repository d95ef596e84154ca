// Multiple choice as the authors score it, against plain passes over whole prompts.
#include "core/evaluate/multiple_choice.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/evaluate/summary_json.h"
#include "core/tensor/nd_array.h"
#include "tests/core/evaluate/tiny_runs.h"
#include "tests/support/tap_recorder.h"

namespace qaq {
namespace {

using Ids = std::vector<std::int32_t>;

ChoiceQuestion question_of(std::size_t n_question, const std::vector<std::size_t>& n_choice) {
  ChoiceQuestion out;
  out.id = "q";
  out.question = test::token_ids(n_question, 1);
  out.answer = 1;
  for (std::size_t c = 0; c < n_choice.size(); ++c) {
    Ids ids = out.question;
    for (const std::int32_t id : test::token_ids(n_choice[c], 100 + static_cast<unsigned>(c))) {
      ids.push_back(id);
    }
    out.choices.push_back(ids);
    out.n_bytes.push_back(static_cast<std::int64_t>(10 + c));
  }
  return out;
}

// Sum of the choice's log-probabilities by one pass over the whole prompt.
double plain_sum(const std::shared_ptr<const ModelFile>& model, const Ids& ids,
                 std::size_t n_question) {
  const auto n = std::ssize(ids);
  test::TapRecorder taps(model->spec().shape, n);
  make_cpu_backend()->open(model, {n, n})->run(ids, &taps);
  double sum = 0;
  for (std::size_t i = n_question; i < ids.size(); ++i) {
    sum += log_probability(taps.logits.sub(static_cast<std::int64_t>(i) - 1).span(), ids[i]);
  }
  return sum;
}

TEST(MultipleChoice, WithoutQuantizationScoresArePlainOnes) {
  const auto model = test::tiny_llama();
  const ChoiceQuestion question = question_of(11, {3, 1, 8});
  PrefixRun run(test::opener(model, question.longest()), {test::exact_params()});
  for (const LengthNorm norm : {LengthNorm::tokens, LengthNorm::bytes, LengthNorm::none}) {
    for (const FirstToken first : {FirstToken::full, FirstToken::quantized}) {
      const ItemResult item = score_question(run, question, {first, norm}, {});
      ASSERT_EQ(item.choices.log_probability.size(), 3u);
      for (std::size_t c = 0; c < 3; ++c) {
        const double by = norm == LengthNorm::tokens  ? std::vector<double>{3, 1, 8}[c]
                          : norm == LengthNorm::bytes ? 10.0 + static_cast<double>(c)
                                                      : 1.0;
        const double expected = plain_sum(model, question.choices[c], 11) / by;
        EXPECT_NEAR(item.choices.log_probability[c], expected, 1e-5);
        EXPECT_NEAR(item.settings[0].choices.log_probability[c], expected, 1e-5);
      }
      EXPECT_FALSE(item.boundary_mismatch);
      EXPECT_EQ(item.n_prefix, 11);
      EXPECT_EQ(item.margin.size(), 12u);
    }
  }
}

TEST(MultipleChoice, AChoiceOfOneTokenCannotChangeUnlessItsFirstTokenIsQuantized) {
  const auto model = test::tiny_llama();
  const ChoiceQuestion question = question_of(20, {1, 4});
  PrefixRun run(test::opener(model, question.longest()), {test::coarse_params()});
  const ItemResult full = score_question(run, question, {}, {});
  const auto& scores = full.settings[0].choices.log_probability;
  EXPECT_EQ(scores[0], full.choices.log_probability[0]);
  EXPECT_NE(scores[1], full.choices.log_probability[1]);
  const ItemResult quantized =
      score_question(run, question, {.first_token = FirstToken::quantized}, {});
  EXPECT_NE(quantized.settings[0].choices.log_probability[0], scores[0]);
  EXPECT_EQ(quantized.choices.log_probability, full.choices.log_probability);
  // Only the first token differs: the rest met the same cache.
  EXPECT_EQ(quantized.settings[0].kl, full.settings[0].kl);
}

TEST(MultipleChoice, ErrorsAreMeansOverAllChoicesElements) {
  const auto model = test::tiny_llama();
  const ChoiceQuestion both = question_of(15, {2, 6});
  PrefixRun run(test::opener(model, both.longest()), {test::coarse_params()});
  const ItemResult item = score_question(run, both, {}, {});
  double attention = 0, logits = 0;
  run.set_prefix(both.question, {});
  for (const Ids& ids : both.choices) {
    const Ids tail(ids.begin() + 15, ids.end()), next(tail.size(), -1);
    const auto scores = run.run_tail({tail, next}, {});
    attention += scores[0].attention_squares;
    for (const PositionScore& p : scores[0].positions) logits += p.squared_difference;
  }
  EXPECT_DOUBLE_EQ(item.settings[0].attention_error, attention / (8 * 15 * 3 * 4));
  EXPECT_DOUBLE_EQ(item.settings[0].logit_error, logits / (8 * 288));
  EXPECT_EQ(item.settings[0].cache.key_average_n_bits, 2);
  EXPECT_EQ(item.settings[0].cache.key_quantization_error, run.cache(0).key.quantization_error);
}

TEST(MultipleChoice, AChoiceThatChangesTheQuestionsTokensHasAPrefixOfItsOwn) {
  const auto model = test::tiny_llama();
  ChoiceQuestion question = question_of(9, {3, 3, 3});
  question.choices[1][8] += 1;
  PrefixRun run(test::opener(model, question.longest()), {test::exact_params()});
  const ItemResult item = score_question(run, question, {}, {});
  EXPECT_TRUE(item.boundary_mismatch);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(item.settings[0].choices.log_probability[c],
                plain_sum(model, question.choices[c], 9) / 3, 1e-5);
  }
}

TEST(ChoiceScores, TheFirstStrictMaximumAnswers) {
  EXPECT_EQ(ChoiceScores{}.best(), -1);
  EXPECT_EQ((ChoiceScores{{-2, -1, -1}}.best()), 1);
  EXPECT_EQ((ChoiceScores{{-1, -1}}.best()), 0);
}

TEST(ItemResult, ReadBackGivesTheSameSummary) {
  const auto model = test::tiny_llama();
  const ChoiceQuestion question = question_of(12, {3, 5});
  PrefixRun run(test::opener(model, question.longest()), {test::coarse_params(), QaqParams{}});
  const std::vector<ItemResult> items{score_question(run, question, {}, {})};
  const auto text = item_json(items[0]).dump();
  const std::vector<ItemResult> read{item_from_json(nlohmann::ordered_json::parse(text), 2)};
  for (const std::size_t i : {0, 1}) {
    EXPECT_EQ(summary_json(summarize(read, i)), summary_json(summarize(items, i)));
  }
  EXPECT_EQ(item_json(read[0]).dump(), text);
}

TEST(ItemResult, WhatDoesNotFitTogetherIsRefused) {
  const auto model = test::tiny_llama();
  const ChoiceQuestion question = question_of(12, {3, 5});
  PrefixRun run(test::opener(model, question.longest()), {test::coarse_params()});
  const auto good = item_json(score_question(run, question, {}, {}));
  EXPECT_EQ(item_json(item_from_json(good, 1)).dump(), good.dump());
  EXPECT_THROW(item_from_json(good, 2), Error);
  const auto expect_refused = [&](const char* pointer, const nlohmann::ordered_json& value) {
    auto bad = good;
    bad[nlohmann::ordered_json::json_pointer(pointer)] = value;
    EXPECT_THROW(item_from_json(bad, 1), Error) << pointer;
  };
  expect_refused("/answer", 2);
  expect_refused("/n_prefix", 0);
  expect_refused("/id", 7);
  expect_refused("/margin", {1.0});
  expect_refused("/choices", {1.0});
  expect_refused("/settings/0/kl", {1.0});
  expect_refused("/settings/0/same_top", nlohmann::ordered_json::array());
  expect_refused("/settings/0/nll", {"a"});
  expect_refused("/settings/0/choices", nlohmann::ordered_json::array());
  expect_refused("/settings/0/seconds", {1.0});
}

}  // namespace
}  // namespace qaq
