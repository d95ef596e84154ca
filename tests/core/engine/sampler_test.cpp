#include "core/engine/sampler.h"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <set>

#include "core/base/error.h"

namespace qaq {
namespace {

// Probabilities 0.1, 0.4, 0.2, 0.3 at temperature 1.
const std::vector<float> kLogits{std::log(1.0f), std::log(4.0f), std::log(2.0f), std::log(3.0f)};

std::array<double, 4> shares(const SamplingParams& params, const std::vector<float>& logits,
                             int n_draws = 40'000) {
  Sampler sampler(params);
  std::array<double, 4> out{};
  for (int i = 0; i < n_draws; ++i) out.at(static_cast<std::size_t>(sampler.next(logits))) += 1;
  for (double& share : out) share /= n_draws;
  return out;
}

// Five standard deviations of a share of 40,000 draws are at most 0.0125.
void expect_shares(const SamplingParams& params, const std::array<double, 4>& expected) {
  const auto found = shares(params, kLogits);
  for (std::size_t i = 0; i < 4; ++i) {
    if (expected[i] == 0) {
      EXPECT_EQ(found[i], 0) << "token " << i;
    } else {
      EXPECT_NEAR(found[i], expected[i], 0.0125) << "token " << i;
    }
  }
}

TEST(Sampler, IsGreedyByDefaultAndTiesGoToTheLowerId) {
  Sampler sampler({});
  EXPECT_EQ(sampler.next(kLogits), 1);
  EXPECT_EQ(sampler.next(std::vector<float>{-1, 5, 2, 5}), 1);
  EXPECT_EQ(sampler.next(std::vector<float>{-7}), 0);
}

TEST(Sampler, DrawsWithTheProbabilitiesOfTheSoftmax) {
  expect_shares({.temperature = 1}, {0.1, 0.4, 0.2, 0.3});
}

TEST(Sampler, TemperatureSharpensAndFlattens) {
  expect_shares({.temperature = 0.5}, {1 / 30.0, 16 / 30.0, 4 / 30.0, 9 / 30.0});
  const double s = 1 + 2 + std::sqrt(2.0) + std::sqrt(3.0);
  expect_shares({.temperature = 2}, {1 / s, 2 / s, std::sqrt(2.0) / s, std::sqrt(3.0) / s});
}

TEST(Sampler, TopKKeepsTheKMostLikely) {
  expect_shares({.temperature = 1, .top_k = 2}, {0, 4 / 7.0, 0, 3 / 7.0});
  expect_shares({.temperature = 1, .top_k = 1}, {0, 1, 0, 0});
}

TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  expect_shares({.temperature = 1, .top_p = 0.39}, {0, 1, 0, 0});
  expect_shares({.temperature = 1, .top_p = 0.41}, {0, 4 / 7.0, 0, 3 / 7.0});
  expect_shares({.temperature = 1, .top_p = 0.71}, {0, 4 / 9.0, 2 / 9.0, 3 / 9.0});
  expect_shares({.temperature = 1, .top_p = 0}, {0, 1, 0, 0});
}

TEST(Sampler, TopPCountsWhatTopKLeft) {
  // Of 4/7 and 3/7 the first alone reaches 0.5; of all four tokens 0.4 would not.
  expect_shares({.temperature = 1, .top_k = 2, .top_p = 0.5}, {0, 1, 0, 0});
}

TEST(Sampler, TemperatureIsAppliedBeforeTopP) {
  // 16/30 at temperature 0.5.
  expect_shares({.temperature = 0.5, .top_p = 0.53}, {0, 1, 0, 0});
}

TEST(Sampler, CutsBetweenEqualLogitsKeepTheLowerIds) {
  const std::vector<float> equal(4, 2.5f);
  const auto by_k = shares({.temperature = 1, .top_k = 2}, equal, 200);
  EXPECT_EQ(by_k[2] + by_k[3], 0);
  const auto by_p = shares({.temperature = 1, .top_p = 0.3}, equal, 200);
  EXPECT_EQ(by_p[2] + by_p[3], 0);
  EXPECT_GT(by_p[1], 0);
}

TEST(Sampler, ATopKBeyondTheVocabularyChangesNoToken) {
  Sampler all({.temperature = 1, .seed = 3}), many({.temperature = 1, .top_k = 100, .seed = 3});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(all.next(kLogits), many.next(kLogits));
}

TEST(Sampler, TheSeedDecidesTheSequence) {
  const auto sequence = [](std::uint64_t seed) {
    Sampler sampler({.temperature = 1, .seed = seed});
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(sampler.next(kLogits));
    return ids;
  };
  EXPECT_EQ(sequence(7), sequence(7));
  std::set<std::vector<std::int32_t>> different;
  for (std::uint64_t seed = 0; seed < 8; ++seed) different.insert(sequence(seed));
  EXPECT_EQ(different.size(), 8u);
}

// splitmix64 from state 0 starts 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f: as
// shares of 2^64 that is 0.883, 0.431, 0.026, which fall on tokens 3, 1 and 0.
TEST(Sampler, TheFirstTokensOfSeedZeroAreTheSameEverywhere) {
  Sampler sampler({.temperature = 1});
  EXPECT_EQ(sampler.next(kLogits), 3);
  EXPECT_EQ(sampler.next(kLogits), 1);
  EXPECT_EQ(sampler.next(kLogits), 0);
}

TEST(Sampler, ExtremeLogitsAndTemperaturesAreOrdinary) {
  Sampler cold({.temperature = 1e-300});
  EXPECT_EQ(cold.next(kLogits), 1);
  Sampler hot({.temperature = 1e300});
  for (int i = 0; i < 20; ++i) EXPECT_LT(hot.next(std::vector<float>{3e38f, -3e38f}), 2);
}

TEST(Sampler, RefusesWhatIsOutOfRange) {
  for (const SamplingParams& wrong :
       {SamplingParams{.temperature = -0.1}, SamplingParams{.temperature = std::nan("")},
        SamplingParams{.temperature = std::numeric_limits<double>::infinity()},
        SamplingParams{.top_k = -1}, SamplingParams{.top_p = 1.01}, SamplingParams{.top_p = -0.1},
        SamplingParams{.top_p = std::nan("")}}) {
    try {
      const Sampler sampler(wrong);
      ADD_FAILURE() << "was taken: " << parameters_hash(list_parameters(wrong));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
    }
  }
}

TEST(Sampler, RefusesLogitsThatAreNotFinite) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    EXPECT_THROW(Sampler({}).next(std::vector<float>{1, bad}), Error);
    EXPECT_THROW(Sampler({.temperature = 1}).next(std::vector<float>{bad, 1}), Error);
  }
}

}  // namespace
}  // namespace qaq
