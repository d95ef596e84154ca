// Each statistic of a head by hand, and on heads in which it was planted.
#include "core/analysis/head_statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/analysis/head_facts.h"
#include "core/base/parallel.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

// Rows of two channels.
class Rows {
 public:
  explicit Rows(const std::vector<std::array<float, 2>>& rows) : numbers_({std::ssize(rows), 2}) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::ranges::copy(rows[i], numbers_.sub(static_cast<std::int64_t>(i)).data());
    }
  }
  HeadFacts as_keys() const {
    HeadFacts out;
    out.key = numbers_.view();
    return out;
  }
  HeadFacts as_values() const {
    HeadFacts out;
    out.value = numbers_.view();
    return out;
  }

 private:
  NdArray<float, 2> numbers_;
};

TEST(HeadStatistics, KeyBiasByHand) {
  // The mean is (2, 0), the mean square 5.
  EXPECT_DOUBLE_EQ(key_bias(Rows({{3, 0}, {1, 0}}).as_keys()), 0.8);
  EXPECT_DOUBLE_EQ(key_bias(Rows({{3, 1}, {-3, -1}}).as_keys()), 0);
  EXPECT_DOUBLE_EQ(key_bias(Rows({{3, 4}}).as_keys()), 1) << "one token is its own mean";
  EXPECT_EQ(key_bias(Rows({{0, 0}, {0, 0}}).as_keys()), 0);
}

TEST(HeadStatistics, KurtosisByHand) {
  // About the mean 1: -1, -1, -1, 3; 4 * 84 / 12^2 - 3.
  const Rows one({{0, 0}, {0, 4}}), two({{-1, 1}, {-1, 1}}), same({{2, 2}, {2, 2}});
  EXPECT_DOUBLE_EQ(key_kurtosis(one.as_keys()), 336.0 / 144 - 3);
  EXPECT_DOUBLE_EQ(value_kurtosis(two.as_values()), -2);
  EXPECT_EQ(key_kurtosis(same.as_keys()), 0);
}

TEST(HeadStatistics, RangeByHand) {
  const Rows rows({{1, 4}, {0, -2}});
  EXPECT_DOUBLE_EQ(key_range(rows.as_keys()), 6.5);
  EXPECT_DOUBLE_EQ(value_range(rows.as_values()), 6.5);
}

TEST(HeadStatistics, QueryNormsByHand) {
  // Squared norms of two query heads; ten in all.
  NdArray<double, 2> norms({2, 5}, 1.0);
  norms(1, 3) = 101;
  HeadFacts head;
  head.query_norm = std::as_const(norms).view();
  // The 0.9 and 0.99 quantiles lie at 8.1 and 8.91 of ranks 0 to 9.
  EXPECT_NEAR(query_norm(head), 1 + 0.1 * 100, 1e-5);
  EXPECT_NEAR(query_norm_tail(head), 1 + 0.91 * 100, 1e-4);
}

TEST(HeadStatistics, AttentionByHand) {
  HeadFacts head;
  const std::vector<float> fourth{.25f, .25f, .25f, .25f, 0}, fifth{.1f, .2f, .3f, .2f, .2f},
      sixth{0, 0, 0, 0, 1, 0};
  head.attention.add_row(fourth, 3, 4);
  EXPECT_TRUE(std::isnan(sink_mass(head))) << "no row lies behind the sinks";
  EXPECT_NEAR(attention_entropy(head), 1, 1e-12);
  head.attention.add_row(fifth, 4, 5);
  EXPECT_NEAR(sink_mass(head), 0.8, 1e-7);
  head.attention.add_row(sixth, 5, 6);
  EXPECT_NEAR(sink_mass(head), 0.4, 1e-7);
  const double h = -(.1 * std::log(.1) + 3 * .2 * std::log(.2) + .3 * std::log(.3)) / std::log(5.0);
  EXPECT_NEAR(attention_entropy(head), (1 + h + 0) / 3, 1e-7);
}

TEST(HeadStatistics, ARowThatSeesFewTokensIsHeldAgainstThese) {
  HeadFacts head;
  head.attention.add_row(std::vector<float>{0, 0, 0, 0, .5f, .5f}, 5, 2);
  EXPECT_NEAR(attention_entropy(head), 1, 1e-12);
  EXPECT_EQ(sink_mass(head), 0);
  head.attention.add_row(std::vector<float>{1, 0, 0, 0, 0, 0}, 0, 1);
  EXPECT_NEAR(attention_entropy(head), 1, 1e-12) << "the first row has no choice";
}

TEST(HeadStatistics, ViolationsByHand) {
  HeadFacts head;
  EXPECT_TRUE(std::isnan(violation_rate(head)));
  head.attention.n_violations = 2;
  head.attention.n_eligible = 8;
  EXPECT_EQ(violation_rate(head), 0.25);
}

TEST(HeadStatistics, WithoutQueriesAndRowsTheyAreUnknown) {
  const HeadFacts nothing;
  for (const auto statistic :
       {sink_mass, attention_entropy, violation_rate, query_norm, query_norm_tail}) {
    EXPECT_TRUE(std::isnan(statistic(nothing)));
  }
}

TEST(HeadStatistics, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const HeadStatistic& each : head_statistics()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_EQ(head_statistics()[head_statistic_named(each.name)].of, each.of);
  }
  EXPECT_TRUE(names.contains(kDefaultHeadStatistic));
  EXPECT_NE(refusal([] { head_statistic_named("sink_mas"); }, ErrorKind::usage).find("'sink_mass'"),
            std::string::npos);
  EXPECT_NE(refusal([] { head_statistic_named("luck"); }, ErrorKind::usage).find("value_range"),
            std::string::npos);
}

// --- Of captures

double at(const NdArray<double, 3>& all, std::string_view name, std::int64_t layer,
          std::int64_t head) {
  return all(static_cast<std::int64_t>(head_statistic_named(name)), layer, head);
}

const std::vector<SyntheticShape> kShapes{
    {.n_layers = 3, .n_heads = 9, .n_kv_heads = 3, .n_tokens = 40},
    {.n_layers = 2, .n_heads = 8, .n_kv_heads = 8, .n_tokens = 40},
    {.n_layers = 4, .n_heads = 8, .n_kv_heads = 1, .n_tokens = 40}};

// A KV head and the query heads that read it.
struct Planted {
  MemoryCapture::Arrays& arrays;
  std::size_t layer;
  std::int64_t kv_head, first, group;

  NdView<float, 2> key() const { return arrays.key[layer].sub(kv_head); }
  NdView<float, 2> value() const { return arrays.value[layer].sub(kv_head); }
  // Calls change(scores, row) for each row of attention of its query heads, zero before.
  void refill(const std::function<void(std::span<float>, std::int64_t row)>& change) const {
    for (std::int64_t head = first; head < first + group; ++head) {
      const auto scores = arrays.attention[layer].sub(head);
      for (std::int64_t row = 0; row < scores.shape(0); ++row) {
        std::ranges::fill(scores.sub(row).span(), 0.0f);
        change(scores.sub(row).span().first(static_cast<std::size_t>(row + 1)), row);
      }
    }
  }
};

// What `plant` does to one head makes it the riskiest by `name`, wherever it stands.
void expect_found(std::string_view name, const std::function<void(const Planted&)>& plant) {
  const std::size_t index = head_statistic_named(name);
  for (const SyntheticShape& shape : kShapes) {
    const std::int64_t group = shape.n_heads / shape.n_kv_heads;
    for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
      for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
        MemoryCapture::Arrays arrays = synthetic_arrays(shape, 3);
        plant({arrays, static_cast<std::size_t>(layer), head, head * group, group});
        const MemoryCapture capture(synthetic_info(shape), std::move(arrays));
        const auto all = measure_heads(capture, {.n_tokens = shape.n_tokens});
        const auto of = all.sub(static_cast<std::int64_t>(index)).span();
        const auto found = head_statistics()[index].low_is_risky ? std::ranges::min_element(of)
                                                                 : std::ranges::max_element(of);
        EXPECT_EQ(found - of.begin(), layer * shape.n_kv_heads + head) << name;
      }
    }
  }
}

TEST(PlantedHeads, AKeyBiasIsFound) {
  expect_found("key_bias", [](const Planted& head) {
    for (std::int64_t token = 0; token < 40; ++token) head.key()(token, 3) += 20;
  });
}

TEST(PlantedHeads, AnOutlierIsFound) {
  for (const char* name : {"key_kurtosis", "key_range"}) {
    expect_found(name, [](const Planted& head) { head.key()(17, 2) = 300; });
  }
  for (const char* name : {"value_kurtosis", "value_range"}) {
    expect_found(name, [](const Planted& head) { head.value()(17, 2) = 300; });
  }
}

TEST(PlantedHeads, ASinkIsFound) {
  expect_found("sink_mass", [](const Planted& head) {
    head.refill([](std::span<float> scores, std::int64_t) { scores[0] = 1; });
  });
}

TEST(PlantedHeads, AHeadThatSeesOneTokenAtATimeIsFound) {
  expect_found("attention_entropy", [](const Planted& head) {
    head.refill([](std::span<float> scores, std::int64_t row) {
      scores[static_cast<std::size_t>(row / 2)] = 1;
    });
  });
}

TEST(PlantedHeads, JumpsAreFound) {
  // Each row looks at tokens that hardly a row before it did.
  expect_found("violation_rate", [](const Planted& head) {
    head.refill([](std::span<float> scores, std::int64_t row) {
      for (const std::int64_t step : {2, 3, 5, 7}) {
        scores[static_cast<std::size_t>(row / step)] += 0.25f;
      }
    });
  });
}

TEST(PlantedHeads, LongQueriesAreFound) {
  for (const auto& [name, every] : {std::pair{"query_norm", 1}, {"query_norm_tail", 13}}) {
    expect_found(name, [every = every](const Planted& head) {
      for (std::int64_t i = head.first; i < head.first + head.group; ++i) {
        for (std::int64_t token = 0; token < 40; token += every) {
          for (float& x : head.arrays.query[head.layer].sub(i, token).span()) x *= 100;
        }
      }
    });
  }
}

TEST(MeasuredHeads, DoNotSeeWhatIsBehindTheirTokens) {
  const SyntheticShape shape{.n_tokens = 40};
  const MemoryCapture capture = synthetic_capture(shape, 2);
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 2);
  for (std::size_t layer = 0; layer < arrays.key.size(); ++layer) {
    for (auto* array : {&arrays.key[layer], &arrays.value[layer], &arrays.query[layer]}) {
      for (std::int64_t head = 0; head < array->shape(0); ++head) {
        for (std::int64_t token = 30; token < 40; ++token) (*array)(head, token, 1) += 50;
      }
    }
    for (std::int64_t head = 0; head < shape.n_heads; ++head) {
      for (std::int64_t row = 30; row < 40; ++row) {
        std::ranges::fill(arrays.attention[layer].sub(head, row).span(), 0.0f);
        arrays.attention[layer](head, row, row % 3) = 1;
      }
    }
  }
  const MemoryCapture other(synthetic_info(shape), std::move(arrays));
  const auto one = measure_heads(capture, {.n_tokens = 30});
  const auto two = measure_heads(other, {.n_tokens = 30});
  EXPECT_TRUE(std::ranges::equal(one.span(), two.span()));
  const auto all = measure_heads(other, {.n_tokens = 40});
  for (const HeadStatistic& each : head_statistics()) {
    EXPECT_NE(at(all, each.name, 0, 0), at(two, each.name, 0, 0)) << each.name;
  }
}

TEST(MeasuredHeads, WithoutRowsOfTheTokensAttentionIsUnknown) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 40}, 1, 8);
  const auto all = measure_heads(capture, {.n_tokens = 30});
  for (const char* name : {"sink_mass", "attention_entropy", "violation_rate"}) {
    EXPECT_TRUE(std::isnan(at(all, name, 1, 1))) << name;
  }
  EXPECT_TRUE(std::isfinite(at(all, "query_norm", 1, 1)));
}

TEST(MeasuredHeads, OneTokenTellsWhatItCan) {
  const auto all = measure_heads(synthetic_capture({.n_tokens = 1}), {.n_tokens = 1});
  for (const char* name : {"sink_mass", "attention_entropy", "violation_rate"}) {
    EXPECT_TRUE(std::isnan(at(all, name, 0, 0))) << name;
  }
  EXPECT_DOUBLE_EQ(at(all, "key_bias", 0, 0), 1);
  EXPECT_GE(at(all, "query_norm_tail", 0, 0), 1);
  EXPECT_GT(at(all, "value_range", 0, 0), 0);
}

TEST(MeasuredHeads, AreTheSameWhateverTheThreads) {
  const MemoryCapture capture = synthetic_capture({.n_heads = 9, .n_kv_heads = 3, .n_tokens = 60});
  set_thread_count(1);
  const auto one = measure_heads(capture, {.n_tokens = 60});
  set_thread_count(3);
  const auto three = measure_heads(capture, {.n_tokens = 60});
  set_thread_count(0);
  EXPECT_TRUE(std::ranges::equal(one.span(), three.span()));
}

}  // namespace
}  // namespace qaq::test
