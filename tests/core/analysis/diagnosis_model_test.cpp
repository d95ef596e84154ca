// SmolLM2 really failing at low bits on real prompts, and a fault planted in it.
#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "core/analysis/diagnosis.h"
#include "core/analysis/diagnosis_report.h"
#include "core/engine/backend.h"
#include "core/evaluate/prefix_run.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/core/analysis/planted_faults.h"
#include "tests/support/model_fixture.h"

namespace qaq::test {
namespace {

constexpr const char* kKeeper =
    "The old lighthouse stood at the end of a narrow spit of land, and for forty years the keeper "
    "had written down every ship that passed. On the first page of his first book he had written "
    "the rules: the name of the ship, the hour, the weather, the colour of the hull, and whether "
    "anybody had waved. The Margaret, at six in the morning, fog, black hull, nobody. The Saint "
    "Olaf, at noon, clear, red hull, a boy on the stern who waved twice. The Heron, at dusk, rain, "
    "white hull, nobody. The keeper looked at the page, and he read aloud: The Margaret, at";
constexpr const char* kList =
    "Name: Ada, city: London, born: 1815\nName: Alan, city: London, born: 1912\nName: Grace, city: "
    "New York, born: 1906\nName: Emmy, city: Erlangen, born: 1882\nName: Kurt, city: Brno, born: "
    "1906\nThe person from Erlangen is called";

RealRun real_run(const std::string& path, const std::string& prompt, std::int64_t n_generate) {
  const std::shared_ptr<const ModelFile> model = open_model(path);
  return {model, make_tokenizer(*model)->encode(prompt), n_generate};
}

Diagnosis diagnosis_of(const RealRun& run, const DiagnosisOptions& options) {
  Diagnosis out = diagnose(*run.mixed, options, {});
  for (const std::string& line : diagnosis_lines(out, run.subject)) {
    std::printf("%s\n", line.c_str());
  }
  return out;
}

QaqParams at_most(int n_bits) {
  QaqParams out;
  out.key.n_bits_max = out.value.n_bits_max = n_bits;
  return out;
}

// The step again, by the runs that evaluations are made of.
PositionScore score_of_step(const RealRun& run, const QaqParams& params, std::int64_t step) {
  const auto open = [&] {
    return make_cpu_backend()->open(run.model, {std::ssize(run.ids), run.n_prompt});
  };
  PrefixRun prefix(open, {params});
  const std::span<const std::int32_t> ids(run.ids);
  prefix.set_prefix(ids.first(static_cast<std::size_t>(run.n_prompt)), {});
  const auto tail = ids.subspan(static_cast<std::size_t>(run.n_prompt));
  const std::vector<std::int32_t> unknown(tail.size(), -1);
  return prefix.run_tail({tail, unknown, false}, {})[0].positions[static_cast<std::size_t>(step)];
}

TEST(DiagnosisOfSmolLM2, OneBitIsTooFew) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const RealRun run = real_run(path, kList, 16);
  const Diagnosis d = diagnosis_of(run, {.params = at_most(1)});
  ASSERT_EQ(d.outcome, DiagnosisOutcome::explained);
  const PositionScore before = score_of_step(run, at_most(1), d.step);
  EXPECT_FALSE(before.same_top);
  EXPECT_GE(before.margin, d.coin_flip_margin);
  EXPECT_NEAR(d.explained().score.score.kl, before.kl, 1e-3 * before.kl);
  const DiagnosedCause& first = d.causes.front();
  EXPECT_NE(first.title.find("bits clamped too low"), std::string::npos) << first.title;
  EXPECT_TRUE(first.top_restored);
  // The setting as a whole without its limit is better, too.
  EXPECT_LT(score_of_step(run, at_most(16), d.step).kl, 0.2 * before.kl);
  EXPECT_LT(d.cells.size(), static_cast<std::size_t>(d.n_cells) / 4);
}

TEST(DiagnosisOfSmolLM2, FourBitsAreClippedByTheMeanCentredQuantizer) {
  QAQ_SMOLLM2_OR_SKIP(path);
  for (const char* prompt : {kKeeper, kList}) {
    const RealRun run = real_run(path, prompt, 16);
    const Diagnosis d = diagnosis_of(run, {.params = at_most(4)});
    ASSERT_EQ(d.outcome, DiagnosisOutcome::explained);
    EXPECT_EQ(d.causes.front().name, "range_clipped");
    EXPECT_EQ(d.explained().verdict, StepVerdict::diverged);
    QaqParams centred = at_most(4);
    centred.key.range_rule = centred.value.range_rule = RangeChoice::midpoint;
    const PositionScore before = score_of_step(run, at_most(4), d.step);
    EXPECT_FALSE(before.same_top);
    EXPECT_LT(score_of_step(run, centred, d.step).kl, before.kl);
  }
}

TEST(DiagnosisOfSmolLM2, AHeadCutToOneBitIsNamed) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const RealRun run = real_run(path, kKeeper, 8);
  std::mt19937 random(3);
  for (int round = 0; round < 4; ++round) {
    const PlantedPlace at{static_cast<std::int64_t>(random() % 30),
                          static_cast<std::int64_t>(random() % 3)};
    SCOPED_TRACE(testing::Message() << "layer " << at.layer << ", head " << at.head);
    const Diagnosis d = diagnosis_of(run, head_cut(run, at));
    ASSERT_EQ(d.outcome, DiagnosisOutcome::explained);
    EXPECT_EQ(d.causes.front().name, "bits_clamped");
    EXPECT_EQ(d.side, CacheSide::key);
    EXPECT_EQ(d.layers, std::vector<std::int32_t>{static_cast<std::int32_t>(at.layer)});
    for (const DiagnosedCell& cell : d.cells) EXPECT_EQ(cell.cell.kv_head, at.head);
    EXPECT_LE(d.n_replays, 40);
    EXPECT_TRUE(d.causes.front().top_restored);
  }
}

void expect_named(const Diagnosis& d, const PlantedPlace& at, CacheSide side,
                  const std::string& cause) {
  ASSERT_EQ(d.outcome, DiagnosisOutcome::explained);
  EXPECT_EQ(d.causes.front().name, cause);
  ASSERT_EQ(d.cells.size(), 1u);
  EXPECT_EQ(d.cells[0].cell.side, side);
  EXPECT_EQ(d.cells[0].cell.layer, at.layer);
  EXPECT_EQ(d.cells[0].cell.kv_head, at.head);
  EXPECT_EQ(d.cells[0].cell.token, at.token);
  EXPECT_LE(d.n_replays, 40);
  EXPECT_TRUE(d.causes.front().top_restored);
}

TEST(DiagnosisOfSmolLM2, AHiddenJumpIsNamed) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const RealRun run = real_run(path, kKeeper, 8);
  std::mt19937 random(5);
  int n_felt = 0;
  for (int round = 0; round < 12 && n_felt < 4; ++round) {
    const std::int64_t row = 2;
    const PlantedPlace at = read_place(run, row, random);
    SCOPED_TRACE(testing::Message() << at.layer << ", " << at.head << ", " << at.token);
    const Diagnosis d = diagnosis_of(run, hidden_jump(row, at));
    if (d.outcome == DiagnosisOutcome::nothing_broke) continue;  // it is not felt there
    expect_named(d, at, CacheSide::value, "importance_jumped");
    ++n_felt;
  }
  EXPECT_EQ(n_felt, 4);
}

TEST(DiagnosisOfSmolLM2, AWithheldOutlierIsNamed) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const RealRun run = real_run(path, kKeeper, 8);
  std::mt19937 random(11);
  int n_felt = 0;
  for (int round = 0; round < 12 && n_felt < 4; ++round) {
    const std::int64_t row = 2;
    const PlantedPlace at = read_place(run, row, random);
    SCOPED_TRACE(testing::Message() << at.layer << ", " << at.head << ", " << at.token);
    const Diagnosis d = diagnosis_of(run, withheld_outlier(row, at));
    if (d.outcome == DiagnosisOutcome::nothing_broke) continue;
    expect_named(d, at, CacheSide::key, "outlier_missed");
    ++n_felt;
  }
  EXPECT_EQ(n_felt, 4);
}

// Ranks of numbers, 0 the smallest.
std::vector<double> ranks_of(const std::vector<double>& numbers) {
  std::vector<std::size_t> order(numbers.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return numbers[i]; });
  std::vector<double> out(numbers.size());
  for (std::size_t i = 0; i < order.size(); ++i) out[order[i]] = static_cast<double>(i);
  return out;
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto x = ranks_of(a), y = ranks_of(b);
  const auto n = static_cast<double>(a.size());
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) squares += (x[i] - y[i]) * (x[i] - y[i]);
  return 1 - 6 * squares / (n * (n * n - 1));
}

// Scores put layers into the order of what their quantization alone does.
TEST(DiagnosisOfSmolLM2, ScoresOrderLayersByTheirEffect) {
  QAQ_SMOLLM2_OR_SKIP(path);
  for (const char* prompt : {kKeeper, kList}) {
    const RealRun run = real_run(path, prompt, 4);
    SettingQuantizer quantizer(run.mixed->capture(), run.n_prompt);
    const SettingCache setting = quantizer.quantize({.params = at_most(3)}, {});
    run.mixed->set_source(1, setting.source);
    for (const std::int64_t row : {0, 2}) {
      const std::int64_t position = run.n_prompt + row;
      const CellScores scores =
          cell_scores(run.mixed->capture(), setting.source, run.n_prompt, position);
      std::vector<double> effects, sums;
      for (std::int64_t layer = 0; layer < 30; ++layer) {
        Mix mix = run.mixed->mix(MixedRun::kExact);
        double sum = 0;
        for (const std::int64_t side : {0, 1}) {
          for (std::uint8_t& source : mix.sub(side, layer).span()) source = 1;
          for (const float score : scores.sub(side, layer).span()) sum += score;
        }
        effects.push_back(run.mixed->replay(mix, row, {}).score.kl);
        sums.push_back(sum);
      }
      const double rank = rank_correlation(sums, effects);
      std::printf("row %lld: rank correlation %.2f\n", static_cast<long long>(row), rank);
      EXPECT_GT(rank, 0.4);
    }
  }
}

}  // namespace
}  // namespace qaq::test
