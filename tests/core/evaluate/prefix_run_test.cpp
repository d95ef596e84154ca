// The model on a quantized prefix: against the reference replay of the real model
// (tests/data/oracle/README.md, qaq_replay_narrative), and properties on a tiny one.
#include "core/evaluate/prefix_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/engine/backend.h"
#include "core/tensor/logits_summary.h"
#include "data/models/model_file.h"
#include "tests/core/evaluate/tiny_runs.h"
#include "tests/support/deviation.h"
#include "tests/support/model_fixture.h"
#include "tests/support/reference_file.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;

// Parameters as the reference data names them.
void set_side(QaqParams& params, const std::string& side, const json& given) {
  for (const auto& [name, value] : given.items()) {
    if (name == "key_or_value_cache") continue;
    const std::string ours = side + "." + (name == "method_name" ? "method" : name);
    ParameterValue as_ours;
    if (value.is_boolean()) {
      as_ours = value.get<bool>();
    } else if (value.is_number_integer()) {
      as_ours = value.get<std::int64_t>();
    } else if (value.is_number()) {
      as_ours = value.get<double>();
    } else {
      as_ours = value.get<std::string>();
    }
    set_parameter(params, ours, as_ours);
  }
}

QaqParams params_of(const json& oracle_case) {
  QaqParams params;
  params.dtype_bits = 32;
  set_side(params, "key", oracle_case["key_params"]);
  set_side(params, "value", oracle_case["value_params"]);
  return params;
}

void expect_near(double ours, const json& expected, double relative, const char* name) {
  const double reference = expected.at(name).get<double>();
  EXPECT_NEAR(ours, reference, relative * std::abs(reference)) << name;
}

// The reference replay's prompt, its prefix run and quantized by every case.
struct NarrativeReplay {
  explicit NarrativeReplay(const std::string& model_path) {
    const test::ReferenceFile forward(test::test_data_path("oracle/smollm2_forward_narrative.h5"));
    const auto wide = forward.integers("token_ids");
    ids.assign(wide.begin(), wide.end());
    n_prefix = oracle["prefix_length"].get<std::size_t>();
    std::vector<QaqParams> settings;
    for (const json& each : oracle["cases"]) settings.push_back(params_of(each));
    run = std::make_unique<PrefixRun>(test::opener(open_model(model_path), std::ssize(ids)),
                                      std::move(settings));
    run->set_prefix(std::span<const std::int32_t>(ids).first(n_prefix), {});
  }
  std::span<const std::int32_t> tail() const {
    return std::span<const std::int32_t>(ids).subspan(n_prefix);
  }
  std::vector<std::int32_t> next() const {
    std::vector<std::int32_t> out(tail().begin() + 1, tail().end());
    out.push_back(-1);
    return out;
  }

  json oracle = test::test_data_json("oracle/qaq_replay_narrative.json");
  std::vector<std::int32_t> ids;
  std::size_t n_prefix = 0;
  std::unique_ptr<PrefixRun> run;
};

TEST(PrefixRunOracle, EveryCaseOfTheReferenceReplay) {
  QAQ_SMOLLM2_OR_SKIP(path);
  NarrativeReplay narrative(path);
  PrefixRun& run = *narrative.run;
  const auto scores = run.run_tail({narrative.tail(), narrative.next()}, {});

  for (std::size_t i = 0; i < scores.size(); ++i) {
    const json& expected = narrative.oracle["cases"][i];
    SCOPED_TRACE(expected["title"].get<std::string>());
    const ReplayResult& cache = run.cache(i);
    const auto& positions = scores[i].positions;
    ASSERT_EQ(positions.size(), expected["positions"].get<std::size_t>());
    double kl_sum = 0, kl_max = 0, squares = 0, max_change = 0;
    int unchanged = 0;
    for (const PositionScore& p : positions) {
      kl_sum += p.kl;
      kl_max = std::max(kl_max, p.kl);
      squares += p.squared_difference;
      max_change = std::max(max_change, p.max_change);
      unchanged += p.same_top ? 1 : 0;
      EXPECT_EQ(std::isnan(p.nll), &p == &positions.back());
    }
    const auto n_positions = static_cast<double>(positions.size());
    const double kl_mean = kl_sum / n_positions;
    const double logit_error =
        squares / (n_positions * static_cast<double>(run.spec().shape.vocab_size));
    const double attention_error =
        scores[i].attention_squares / static_cast<double>(scores[i].n_attention);
    std::printf(
        "case %zu: kl_mean %.3e, kl_max %.3e, same top %d, logit error %.3e, attention %.3e\n", i,
        kl_mean, kl_max, unchanged, logit_error, attention_error);
    expect_near(cache.key.average_n_bits, expected, 1e-3, "key_average_n_bits");
    expect_near(cache.value.average_n_bits, expected, 1e-3, "value_average_n_bits");
    expect_near(cache.key.size_per_token_bits, expected, 1e-3, "key_size_per_token_bits");
    expect_near(cache.value.size_per_token_bits, expected, 1e-3, "value_size_per_token_bits");
    EXPECT_EQ(unchanged, expected["argmax_unchanged"].get<int>());
    if (i == 0) {  // nothing is quantized: rounding alone
      EXPECT_LE(attention_error, 1e-12);
      EXPECT_LE(logit_error, 1e-8);
      EXPECT_LE(kl_max, 1e-9);
      EXPECT_LE(max_change, 1e-3);
      continue;
    }
    expect_near(cache.key.quantization_error, expected, 2e-5, "key_quantization_error");
    expect_near(cache.value.quantization_error, expected, 2e-5, "value_quantization_error");
    expect_near(attention_error, expected, 2e-3, "attention_error");
    expect_near(logit_error, expected, 2e-2, "logit_error");
    expect_near(max_change, expected, 1e-3, "max_abs_logit_change");
    expect_near(kl_mean, expected, 5e-3, "kl_mean");
    expect_near(kl_max, expected, 2e-2, "kl_max");
  }
}

// The positions one by one, where the whole reference data lie beside the repository.
TEST(PrefixRunOracle, EveryPositionOfTheReferenceReplay) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const char* given = std::getenv("QAQ_ORACLE");
  const std::string file =
      std::string(given ? given : QAQ_SOURCE_DIR "/../shared/oracle") + "/qaq_replay_narrative.h5";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "there is no " << file;
  const test::ReferenceFile reference(file);
  NarrativeReplay narrative(path);
  PrefixRun& run = *narrative.run;
  const ModelShape& shape = run.spec().shape;
  const auto scores = run.run_tail({narrative.tail(), narrative.next()}, {});
  const auto n_prefix = static_cast<std::int64_t>(narrative.n_prefix);

  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::string group = "cases/0" + std::to_string(i) + "/";
    SCOPED_TRACE(group);
    test::TapRecorder taps(shape, std::ssize(narrative.ids));
    run.quantized(i).keep(n_prefix);
    run.quantized(i).run(narrative.tail(), &taps);
    const auto kl = reference.doubles(group + "kl_divergence");
    const auto margin = reference.doubles(group + "top2_margin");
    const auto argmax = reference.integers(group + "argmax_token");
    const auto logsumexp = reference.doubles(group + "logsumexp");
    ASSERT_EQ(kl.size(), scores[i].positions.size());
    for (std::size_t row = 0; row < kl.size(); ++row) {
      EXPECT_NEAR(scores[i].positions[row].kl, kl[row], 5e-3);
      const auto logits = taps.logits.sub(n_prefix + static_cast<std::int64_t>(row)).span();
      const LogitsSummary summary = summarize_logits(logits, 1);
      EXPECT_NEAR(summary.logsumexp, logsumexp[row], 0.1);
      if (margin[row] > 0.05) {
        EXPECT_EQ(summary.argmax, argmax[row]) << "row " << row;
      }
    }
    test::Deviation last, attention;
    const auto expected_last = reference.floats(group + "logits_last");
    last.add<float, float>(run.quantized(i).logits(), expected_last);
    EXPECT_LE(last.max_abs, 0.05);
    const auto expected = reference.floats(group + "attention_layer14");
    std::vector<float> ours;
    for (std::int64_t head = 0; head < shape.n_heads; ++head) {
      for (std::int64_t row = n_prefix; row < std::ssize(narrative.ids); ++row) {
        const float* scores_of_row = taps.attention.sub(14, head, row).data();
        ours.insert(ours.end(), scores_of_row, scores_of_row + n_prefix);
      }
    }
    attention.add<float, float>(ours, expected);
    EXPECT_LE(attention.max_abs, 5e-3);
    EXPECT_GT(attention.max_reference, 0);
  }
}

TEST(PrefixRun, WithoutQuantizationEqualsThePlainForwardPass) {
  const auto model = test::tiny_llama();
  const auto ids = test::token_ids(40);
  test::TapRecorder plain(model->spec().shape, 40);
  make_cpu_backend()->open(model, {40, 40})->run(ids, &plain);
  PrefixRun run(test::opener(model, 40), {test::exact_params()});
  for (const std::size_t n_prefix : {1, 7, 33, 39}) {
    const std::span<const std::int32_t> all(ids);
    run.set_prefix(all.first(n_prefix), {});
    const std::vector<std::int32_t> next(40 - n_prefix, -1);
    const auto scores = run.run_tail({all.subspan(n_prefix), next}, {});
    for (const PositionScore& p : scores[0].positions) {
      EXPECT_LE(p.kl, 1e-9);
      EXPECT_EQ(p.squared_difference, 0) << "the same numbers go through the same sums";
      EXPECT_TRUE(p.same_top);
    }
    EXPECT_EQ(scores[0].attention_squares, 0);
    // The last row's logits, against a pass over all tokens at once.
    const auto expected = plain.logits.sub(39).span();
    const auto ours = run.quantized(0).logits();
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(ours[i], expected[i], 2e-5);
  }
}

TEST(PrefixRun, OtherSettingsGiveWhatAFreshRunGives) {
  const auto model = test::tiny_llama();
  const auto ids = test::token_ids(40);
  const std::span<const std::int32_t> all(ids);
  const std::vector<std::int32_t> next(16, 3);
  const auto kl_of = [&](PrefixRun& run) {
    run.set_prefix(all.first(24), {});
    std::vector<double> out;
    for (const TailScores& scores : run.run_tail({all.subspan(24), next}, {})) {
      out.push_back(scores.positions.at(7).kl);
    }
    EXPECT_EQ(run.take_seconds().settings.size(), run.n_settings());
    return out;
  };
  PrefixRun fresh(test::opener(model, 40), {test::coarse_params(), test::exact_params(), {}});
  const std::vector<double> expected = kl_of(fresh);
  PrefixRun run(test::opener(model, 40), {test::exact_params()});
  EXPECT_EQ(kl_of(run), (std::vector<double>{0}));
  run.set_settings({test::coarse_params(), test::exact_params(), {}});
  EXPECT_EQ(kl_of(run), expected) << "more than before";
  run.set_settings({QaqParams{}});
  EXPECT_EQ(kl_of(run), (std::vector<double>{expected[2]})) << "fewer";
  EXPECT_NE(expected[0], expected[2]);
}

TEST(PrefixRun, SparseSettingsAttendToSomeKeysBehindThePrefix) {
  const auto model = test::tiny_llama();
  const auto ids = test::token_ids(40);
  const std::span<const std::int32_t> all(ids);
  const std::vector<std::int32_t> next(16, 3);
  const auto kl_of = [&](PrefixRun& run) {
    run.set_prefix(all.first(24), {});
    std::vector<double> out;
    for (const TailScores& scores : run.run_tail({all.subspan(24), next}, {})) {
      out.push_back(scores.positions.at(7).kl);
    }
    return out;
  };
  const auto top = [](QaqParams params, std::int64_t k) {
    params.sparse_top_k = k;
    return params;
  };
  PrefixRun run(
      test::opener(model, 40),
      {test::exact_params(), top(test::exact_params(), 40), top(test::exact_params(), 30),
       top(test::exact_params(), 4), test::coarse_params(), top(test::coarse_params(), 40)});
  const std::vector<double> kl = kl_of(run);
  EXPECT_EQ(kl[0], 0);
  EXPECT_EQ(kl[1], 0) << "all keys";
  EXPECT_GT(kl[2], 0) << "row 31 sees 32 keys";
  EXPECT_GT(kl[3], kl[2]);
  EXPECT_EQ(kl[5], kl[4]);
  run.set_settings({test::exact_params()});
  EXPECT_EQ(kl_of(run), (std::vector<double>{0})) << "what an engine attended to is forgotten";
}

TEST(PrefixRun, SettingsDoNotMeetAndTailsDoNotAddUp) {
  const auto model = test::tiny_llama();
  const auto ids = test::token_ids(40);
  const std::span<const std::int32_t> all(ids);
  const std::vector<std::int32_t> next(16, 3);
  const auto tail = [&](std::vector<QaqParams> settings, std::size_t which, int times) {
    PrefixRun run(test::opener(model, 40), std::move(settings));
    run.set_prefix(all.first(9), {});
    run.set_prefix(all.first(24), {});
    std::vector<TailScores> scores;
    for (int i = 0; i < times; ++i) scores = run.run_tail({all.subspan(24), next}, {});
    return scores.at(which);
  };
  const TailScores alone = tail({test::coarse_params()}, 0, 1);
  const TailScores beside = tail({test::exact_params(), test::coarse_params()}, 1, 2);
  ASSERT_EQ(alone.positions.size(), 16u);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(alone.positions[i].kl, beside.positions[i].kl);
    EXPECT_EQ(alone.positions[i].nll, beside.positions[i].nll);
    EXPECT_GT(alone.positions[i].kl, 1e-6);
  }
  EXPECT_EQ(alone.attention_squares, beside.attention_squares);
  EXPECT_EQ(alone.n_attention, 3 * 4 * 16 * 24);
}

TEST(PrefixRun, TheLastPrefixTokenOnAQuantizedCacheIsATailOfAShorterPrefix) {
  const auto model = test::tiny_llama();
  const auto ids = test::token_ids(30);
  const std::span<const std::int32_t> all(ids);
  PrefixRun run(test::opener(model, 40), {test::coarse_params()});
  run.set_prefix(all.first(19), {});
  run.run_tail({all.subspan(19, 1), std::vector<std::int32_t>{-1}}, {});
  const std::vector<float> expected(run.quantized(0).logits().begin(),
                                    run.quantized(0).logits().end());
  run.set_prefix(all.first(20), {});
  const auto ours = run.requantized_prefix_logits(0, {});
  EXPECT_EQ(ours, expected);
  // Tails behind it meet the whole prefix as ever.
  const std::vector<std::int32_t> next(10, -1);
  const auto after = run.run_tail({all.subspan(20), next}, {});
  PrefixRun fresh(test::opener(model, 40), {test::coarse_params()});
  fresh.set_prefix(all.first(20), {});
  EXPECT_EQ(after[0].positions[9].kl,
            fresh.run_tail({all.subspan(20), next}, {})[0].positions[9].kl);
  fresh.set_prefix(all.first(1), {});
  EXPECT_TRUE(std::ranges::equal(fresh.requantized_prefix_logits(0, {}), fresh.prefix_logits()));
}

TEST(PrefixRun, ThreadCountChangesNoByte) {
  const auto model = test::tiny_llama();
  const auto ids = test::token_ids(40);
  const std::span<const std::int32_t> all(ids);
  const std::vector<std::int32_t> next(16, 3);
  std::vector<TailScores> seen;
  for (const int n_threads : {1, 2, 5}) {
    set_thread_count(n_threads);
    PrefixRun run(test::opener(model, 40), {test::coarse_params()});
    run.set_prefix(all.first(24), {});
    seen.push_back(run.run_tail({all.subspan(24), next}, {})[0]);
  }
  set_thread_count(0);
  for (const TailScores& other : seen) {
    EXPECT_EQ(other.attention_squares, seen[0].attention_squares);
    for (std::size_t i = 0; i < 16; ++i) {
      EXPECT_EQ(other.positions[i].kl, seen[0].positions[i].kl);
      EXPECT_EQ(other.positions[i].squared_difference, seen[0].positions[i].squared_difference);
    }
  }
}

TEST(PrefixRun, AStopIsObeyed) {
  const auto model = test::tiny_llama();
  PrefixRun run(test::opener(model, 40), {test::coarse_params()});
  std::stop_source source;
  source.request_stop();
  try {
    run.set_prefix(test::token_ids(8), Work(nullptr, source.get_token()));
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

}  // namespace
}  // namespace qaq
