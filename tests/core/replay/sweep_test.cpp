// Many settings at once give what each gives alone.
#include "core/replay/sweep.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

QaqParams with(std::initializer_list<std::pair<const char*, ParameterValue>> assignments) {
  QaqParams params;
  for (const auto& [name, value] : assignments) set_parameter(params, name, value);
  return params;
}

ParameterValue word(const char* text) { return std::string(text); }

std::vector<QaqParams> all_kinds() {
  std::vector<QaqParams> out;
  for (const char* level : {"token", "layer", "head"}) {
    for (const double ratio : {0.0, 0.05}) {
      for (const std::int64_t n : {1, 5}) {
        out.push_back(with({{"level", word(level)},
                            {"outliers_ratio", ratio},
                            {"last_n_attentions", n},
                            {"target_quantization_error", 0.1 * static_cast<double>(n)}}));
      }
    }
  }
  out.push_back(with({{"use_attentions", false}, {"n_bits_uniform", std::int64_t{3}}}));
  out.push_back(with({{"use_attentions", false}, {"method", word("normal")}}));
  out.push_back(with({{"key.level", word("no-quantization")}}));
  out.push_back(with({{"level", word("no-quantization")}}));
  out.push_back(with({{"variant", word("paper")}}));
  out.push_back(with({{"variant", word("bound")}, {"target_quantization_error", 0.05}}));
  out.push_back(with({{"variant", word("bound")}, {"bits_rule", word("measured")}}));
  return out;
}

void expect_same(const ReplayResult& got, const ReplayResult& want) {
  EXPECT_EQ(got.prefix, want.prefix);
  EXPECT_EQ(got.in_sample, want.in_sample);
  for (const auto side : {&ReplayResult::key, &ReplayResult::value}) {
    const CacheReplay &a = got.*side, &b = want.*side;
    EXPECT_EQ(a.quantization_error, b.quantization_error);
    EXPECT_EQ(a.average_n_bits, b.average_n_bits);
    EXPECT_EQ(a.mean_bits, b.mean_bits);
    EXPECT_EQ(a.n_outliers, b.n_outliers);
    EXPECT_EQ(a.packed, b.packed);
    EXPECT_TRUE(a.bits.empty()) << "maps are not made";
  }
  ASSERT_EQ(got.mean_attention_error.has_value(), want.mean_attention_error.has_value());
  if (want.mean_attention_error) {
    EXPECT_EQ(*got.mean_attention_error, *want.mean_attention_error);
    EXPECT_EQ(*got.mean_output_error, *want.mean_output_error);
  }
  EXPECT_EQ(got.ratio_packed, want.ratio_packed);
  EXPECT_EQ(got.ratio_paper, want.ratio_paper);
}

TEST(Sweep, EachSettingGivesWhatItGivesAlone) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 40});
  const std::vector<QaqParams> settings = all_kinds();
  for (const std::int64_t prefix : {30, 0}) {
    Sweeper sweeper(capture, {.prefix = prefix, .n_rows = 64});
    const auto results = sweeper.run(settings);
    ASSERT_EQ(results.size(), settings.size());
    for (std::size_t i = 0; i < settings.size(); ++i) {
      SCOPED_TRACE(command_line_text(list_parameters(settings[i]), list_parameters(QaqParams{})));
      expect_same(*results[i], *replay(capture, {settings[i], prefix}));
      EXPECT_EQ(results[i]->parameters.size(), list_parameters(settings[i]).size());
    }
  }
}

TEST(Sweep, CompanyOrderAndThreadsChangeNothing) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 40});
  const std::vector<QaqParams> settings = all_kinds();
  Sweeper together(capture, {.prefix = 30});
  const auto results = together.run(settings);
  for (const int n_threads : {1, 3}) {
    set_thread_count(n_threads);
    Sweeper apart(capture, {.prefix = 30});
    for (std::size_t i = settings.size(); i-- > 0;) {
      expect_same(*apart.run(std::span(settings).subspan(i, 1))[0], *results[i]);
    }
  }
  set_thread_count(0);
}

TEST(Sweep, ComparesTheNewestRows) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 40});
  const std::vector<QaqParams> settings{QaqParams{}};
  Sweeper all(capture, {.prefix = 30}), three(capture, {.prefix = 30, .n_rows = 3}),
      none(capture, {.prefix = 30, .n_rows = 0});
  EXPECT_EQ(all.n_rows(), 10);
  EXPECT_EQ(three.n_rows(), 3);
  const auto whole = replay(capture, {QaqParams{}, 30});
  double sum = 0;
  for (std::int64_t layer = 0; layer < whole->output_error.shape(0); ++layer) {
    for (std::int64_t head = 0; head < whole->output_error.shape(1); ++head) {
      for (std::int64_t row = 37; row < 40; ++row) sum += whole->output_error(layer, head, row);
    }
  }
  const double mean =
      sum / static_cast<double>(3 * whole->output_error.shape(0) * whole->output_error.shape(1));
  EXPECT_NEAR(*three.run(settings)[0]->mean_output_error, mean, 1e-6 * mean);
  EXPECT_FALSE(none.run(settings)[0]->mean_output_error);
}

TEST(Sweep, ASettingThatMakesNoSenseIsRefusedBeforeAnyRuns) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 40});
  Sweeper sweeper(capture, {});
  const std::vector<QaqParams> settings{
      QaqParams{}, with({{"n_bits_min", std::int64_t{5}}, {"n_bits_max", std::int64_t{3}}})};
  EXPECT_THROW(sweeper.run(settings), Error);
}

}  // namespace
}  // namespace qaq::test
