// Degenerate input, against the authors' code where it runs and against our answers where it fails.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <iostream>
#include <map>

#include "core/base/error.h"
#include "core/quant/nominal_size.h"
#include "tests/support/quantized_cache.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<std::vector<float>>;

NdArray<float, 4> array_of(const Json& rows) {
  NdArray<float, 4> out({1, 1, static_cast<std::int64_t>(rows.size()),
                         rows.empty() ? 0 : static_cast<std::int64_t>(rows[0].size())});
  std::size_t i = 0;
  for (const Json& row : rows) {
    for (const Json& x : row) out.span()[i++] = x.get<float>();
  }
  return out;
}

// NaN and infinity are refused before a cache gets here.
bool is_finite(const Json& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const Json& row) {
    return std::all_of(row.begin(), row.end(), [](const Json& x) { return x.is_number(); });
  });
}

QuantizedCache quantized(const Json& edge) {
  return quantize_cache(reference_config(edge.at("params")), array_of(edge.at("cache")).view(),
                        array_of(edge.value("attention", Json::array())).view());
}

class EdgeCases : public ::testing::Test {
 protected:
  static const Json& all() {
    static const Json cases = test_data_json("oracle/qaq_edge_cases.json").at("cases");
    return cases;
  }
  static const Json& named(const std::string& name) {
    for (const Json& edge : all()) {
      if (edge.at("name") == name) return edge;
    }
    throw std::logic_error("no edge case " + name);
  }
};

TEST_F(EdgeCases, WhereTheAuthorsCodeRunsOursAgrees) {
  int n_compared = 0;
  double largest = 0;
  for (const Json& edge : all()) {
    SCOPED_TRACE(edge.at("name").get<std::string>());
    if (edge.at("result") != "ok" || !is_finite(edge.at("cache"))) continue;
    ++n_compared;
    const QuantizedCache ours = quantized(edge);
    const NdArray<float, 4> input = array_of(edge.at("cache"));
    const NdArray<float, 4> expected = array_of(edge.at("dequantized"));
    const Json& kept = edge.at("kept_exactly");
    for (std::int64_t token = 0; token < input.shape(2); ++token) {
      double scale = 0;
      for (const float x : input.sub(0, 0, token).span()) {
        scale = std::max(scale, std::abs(double{x}));
      }
      for (std::int64_t i = 0; i < input.shape(3); ++i) {
        const double off = std::abs(double{ours.values(0, 0, token, i)} - expected(0, 0, token, i));
        EXPECT_LE(off, 1e-6 * scale) << "token " << token << " channel " << i;
        if (scale > 0) largest = std::max(largest, off / scale);
        if (!kept.is_array()) continue;
        EXPECT_EQ(ours.kept(0, 0, token, i), kept[token][i] == 1);
      }
    }
    if (edge.at("n_bits").is_array()) {
      EXPECT_EQ(Json(ours.plan.n_bits).dump(), edge.at("n_bits").dump());
    }
    EXPECT_NEAR(nominal_size(ours.plan, 32).average_n_bits, edge.at("average_n_bits"), 1e-6);
  }
  EXPECT_EQ(n_compared, 34) << "43 cases less 7 errors, NaN and infinity";
  std::cout << "largest deviation, qaq_edge_cases: " << n_compared
            << " cases, bits and masks equal, dequantized " << largest
            << " of the row's largest input\n";
}

// What the published code fails on has an answer here; every case of the file is named.
TEST_F(EdgeCases, WhereTheAuthorsCodeFailsOursIsDefined) {
  std::map<std::string, bool> answered{{"symmetric as published", true},
                                       {"normal with attention as published", false},
                                       {"constant group normal asymmetric", true},
                                       {"zero group normal symmetric", true},
                                       {"one token, key attention-aware", true},
                                       {"outliers_ratio 0.9", false},
                                       {"outliers_ratio 1.0", false}};
  for (const Json& edge : all()) {
    if (edge.at("result") == "ok") continue;
    const std::string name = edge.at("name");
    SCOPED_TRACE(name);
    ASSERT_EQ(answered.count(name), 1u);
    if (answered.at(name)) {
      const QuantizedCache ours = quantized(edge);
      for (const float x : ours.values.span()) EXPECT_TRUE(std::isfinite(x));
    } else {
      try {
        quantized(edge);
        ADD_FAILURE() << "was not refused";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_FALSE(error.text().cure.empty());
      }
    }
    answered.erase(name);
  }
  EXPECT_TRUE(answered.empty());
}

TEST_F(EdgeCases, SymmetricAsPublishedIsTheRepairedOne) {
  const QuantizedCache ours = quantized(named("symmetric as published"));
  const QuantizedCache repaired = quantized(named("uniform symmetric 2 bits"));
  EXPECT_TRUE(std::equal(ours.values.span().begin(), ours.values.span().end(),
                         repaired.values.span().begin()));
}

TEST_F(EdgeCases, AConstantUnitOfTheNormalMethodIsItsMean) {
  const QuantizedCache constant = quantized(named("constant group normal asymmetric"));
  for (const float x : constant.values.sub(0, 0, 2).span()) EXPECT_EQ(x, 1.25f);
  const QuantizedCache zero = quantized(named("zero group normal symmetric"));
  for (const float x : zero.values.sub(0, 0, 2).span()) EXPECT_EQ(x, 0.0f);
}

TEST_F(EdgeCases, OneKeyGetsTheFewestBits) {
  EXPECT_EQ(quantized(named("one token, key attention-aware")).plan.n_bits,
            std::vector<std::uint8_t>{0});
}

}  // namespace
}  // namespace qaq::test
