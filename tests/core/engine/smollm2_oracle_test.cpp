// The engine against a float64 forward pass of the real model (tests/data/oracle/README.md states
// conventions and bounds): three prompts, all layers' keys and values, four layers' queries and
// attention, logits, and 64 greedy tokens of four prompts.

#include <cstdio>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "core/engine/backend.h"
#include "core/tensor/logits_summary.h"
#include "data/models/model_file.h"
#include "tests/support/deviation.h"
#include "tests/support/model_fixture.h"
#include "tests/support/reference_file.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using test::Deviation;
using test::ReferenceFile;
using test::TapRecorder;

std::vector<std::int32_t> ids_of(const std::vector<std::int64_t>& wide) {
  return {wide.begin(), wide.end()};
}

class SmolLm2Oracle : public testing::TestWithParam<std::string> {};

TEST_P(SmolLm2Oracle, QueriesKeysValuesAttentionAndLogits) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const ReferenceFile reference(
      test::test_data_path("oracle/smollm2_forward_" + GetParam() + ".h5"));
  const auto ids = ids_of(reference.integers("token_ids"));
  const auto n_tokens = static_cast<std::int64_t>(ids.size());

  const auto model = open_model(path);
  const ModelShape& shape = model->spec().shape;
  const auto engine = make_cpu_backend()->open(model, {n_tokens, n_tokens});
  TapRecorder taps(shape, n_tokens);
  engine->run(ids, &taps);

  const auto compare = [&](Deviation& d, const auto& ours, const std::string& name) {
    const auto numbers = reference.floats(name);
    d.add<float, float>(ours.span(), numbers);
  };
  Deviation key, value, query, attention, tail, entropy, logits, argmax_logit, logsumexp, nll,
      margin;
  compare(key, taps.key, "cache/key");
  compare(value, taps.value, "cache/value");
  for (const std::int64_t layer : {0, 1, 14, 29}) {
    const std::string group =
        std::string("layers/") + (layer < 10 ? "0" : "") + std::to_string(layer);
    compare(query, taps.query.sub(layer), group + "/query");
    compare(attention, taps.attention.sub(layer), group + "/attention");
  }

  NdArray<float, 4> tail_rows({shape.n_layers, shape.n_heads, 8, n_tokens});
  NdArray<float, 3> row_entropy({shape.n_layers, shape.n_heads, n_tokens});
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < shape.n_heads; ++head) {
      for (std::int64_t row = 0; row < n_tokens; ++row) {
        const auto scores = taps.attention.sub(layer, head, row).span();
        double sum = 0;
        for (const float s : scores) sum -= s > 0 ? s * std::log(static_cast<double>(s)) : 0.0;
        row_entropy(layer, head, row) = static_cast<float>(sum);
        if (row >= n_tokens - 8) {
          std::ranges::copy(scores, tail_rows.sub(layer, head, row - n_tokens + 8).data());
        }
        for (std::int64_t t = row + 1; t < n_tokens; ++t) ASSERT_EQ(scores[t], 0.0f);
      }
    }
  }
  compare(tail, tail_rows, "attention_tail");
  compare(entropy, row_entropy, "attention_row_entropy");

  const auto tail_positions = reference.integers("tail_positions");
  const auto tail_logits = reference.floats("logits_tail");
  for (std::size_t i = 0; i < tail_positions.size(); ++i) {
    const std::span<const float> row(
        tail_logits.data() + static_cast<std::int64_t>(i) * shape.vocab_size,
        static_cast<std::size_t>(shape.vocab_size));
    logits.add<float, float>(taps.logits.sub(tail_positions[i]).span(), row);
  }
  const auto expected_argmax = reference.integers("argmax_token");
  std::vector<float> ours_argmax_logit, ours_logsumexp, ours_nll, ours_margin;
  for (std::int64_t row = 0; row < n_tokens; ++row) {
    const auto numbers = taps.logits.sub(row).span();
    const LogitsSummary summary = summarize_logits(numbers, 2);
    EXPECT_EQ(summary.argmax, expected_argmax[static_cast<std::size_t>(row)]) << "position " << row;
    ours_argmax_logit.push_back(summary.argmax_logit);
    ours_logsumexp.push_back(summary.logsumexp);
    ours_margin.push_back(summary.topk_logits[0] - summary.topk_logits[1]);
    if (row + 1 < n_tokens) {
      ours_nll.push_back(summary.logsumexp -
                         numbers[static_cast<std::size_t>(ids[static_cast<std::size_t>(row) + 1])]);
    }
  }
  const auto compare_vector = [&](Deviation& d, const std::vector<float>& ours,
                                  const std::string& name) {
    const auto numbers = reference.floats(name);
    d.add<float, float>(ours, numbers);
  };
  compare_vector(argmax_logit, ours_argmax_logit, "argmax_logit");
  compare_vector(logsumexp, ours_logsumexp, "logsumexp");
  compare_vector(nll, ours_nll, "next_token_nll");
  compare_vector(margin, ours_margin, "top2_margin");

  std::printf(
      "smollm2_forward_%s: query %.1e, key %.1e, value %.1e of max (rms %.1e, %.1e, %.1e); "
      "attention %.1e, tail %.1e (rms %.1e, %.1e), entropy %.1e nat; logits %.1e of max "
      "(rms %.1e), logsumexp %.1e, nll %.1e, margin %.1e\n",
      GetParam().c_str(), query.max_relative(), key.max_relative(), value.max_relative(),
      query.rms_relative(), key.rms_relative(), value.rms_relative(), attention.max_abs,
      tail.max_abs, attention.rms(), tail.rms(), entropy.max_abs, logits.max_relative(),
      logits.rms_relative(), logsumexp.max_abs, nll.max_abs, margin.max_abs);

  for (const Deviation* d : {&query, &key, &value}) {
    EXPECT_LE(d->max_relative(), 2e-5);
    EXPECT_LE(d->rms_relative(), 1e-6);
    EXPECT_GT(d->max_reference, 0.0);
  }
  for (const Deviation* d : {&attention, &tail}) {
    EXPECT_LE(d->max_abs, 4e-5);
    EXPECT_LE(d->rms(), 1e-6);
  }
  EXPECT_LE(entropy.max_abs, 1e-4);
  EXPECT_LE(logits.max_relative(), 2e-5);
  EXPECT_LE(logits.rms_relative(), 2e-6);
  EXPECT_LE(argmax_logit.max_relative(), 2e-5);
  EXPECT_LE(logsumexp.max_abs, 5e-4);
  EXPECT_LE(nll.max_abs, 5e-4);
  EXPECT_LE(margin.max_abs, 5e-4);
}

INSTANTIATE_TEST_SUITE_P(Prompts, SmolLm2Oracle, testing::Values("narrative", "code", "mix"),
                         [](const auto& named) { return named.param; });

TEST(SmolLm2Greedy, SixtyFourTokensOfFourPrompts) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const auto reference = test::test_data_json("oracle/greedy.json");
  const auto n_new = reference["n_new_tokens"].get<std::int64_t>();
  const auto model = open_model(path);
  Deviation margin, top;
  for (const auto& expected : reference["cases"]) {
    const auto prompt = expected["prompt_ids"].get<std::vector<std::int32_t>>();
    const auto tokens = expected["oracle_ids"].get<std::vector<std::int32_t>>();
    ASSERT_EQ(static_cast<std::int64_t>(tokens.size()), n_new);
    const auto n_prompt = static_cast<std::int64_t>(prompt.size());
    const auto engine = make_cpu_backend()->open(model, {n_prompt + n_new, n_prompt});
    engine->run(prompt);
    std::vector<std::int32_t> ours;
    std::vector<float> margins, tops;
    for (std::int64_t step = 0; step < n_new; ++step) {
      const LogitsSummary summary = summarize_logits(engine->logits(), 2);
      ours.push_back(engine->greedy_token());
      margins.push_back(summary.topk_logits[0] - summary.topk_logits[1]);
      tops.push_back(summary.argmax_logit);
      // The reference goes on behind end tokens, and so does this test.
      engine->run({&ours.back(), 1});
    }
    EXPECT_EQ(ours, tokens) << expected["name"];
    margin.add<float, float>(margins, expected["oracle_margin"].get<std::vector<float>>());
    top.add<float, float>(tops, expected["oracle_top_logit"].get<std::vector<float>>());
  }
  std::printf("greedy: %zu prompts x %lld tokens equal; margin %.1e, top logit %.1e\n",
              reference["cases"].size(), static_cast<long long>(n_new), margin.max_abs,
              top.max_abs);
  EXPECT_LE(margin.max_abs, 1e-3);
  EXPECT_LE(top.max_abs, 1e-3);
}

}  // namespace
}  // namespace qaq
