#include "core/replay/derive_attention.h"

#include <cmath>
#include <gtest/gtest.h>
#include <iostream>

#include "tests/support/reference_file.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

TEST(DeriveAttention, IsTheModelsOwn) {
  const auto capture =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
  double largest = 0;
  for (std::int64_t layer = 0; layer < 4; ++layer) {
    const auto derived =
        derive_attention(capture->query(layer)->view(), capture->key(layer)->view(),
                         capture->info().query_token, {});
    const auto reference = capture->attention(layer, 0, 95);
    for (std::size_t i = 0; i < derived.span().size(); ++i) {
      largest = std::max(largest, std::abs(double{derived.span()[i]} - reference->span()[i]));
    }
  }
  EXPECT_LE(largest, 4e-5);
  std::cout << "largest deviation, smollm2_forward_narrative: derived attention " << largest
            << "\n";
}

TEST(DeriveAttention, RowsAreDistributionsOverThePast) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 150});
  const auto scores = derive_attention(capture.query(0)->view(), capture.key(0)->view(),
                                       capture.info().query_token, {});
  for (std::int64_t head = 0; head < 4; ++head) {
    for (std::int64_t s = 0; s < 150; ++s) {
      double sum = 0;
      for (std::int64_t t = 0; t < 150; ++t) {
        EXPECT_TRUE(t <= s || scores(head, s, t) == 0.0f);
        sum += scores(head, s, t);
      }
      EXPECT_NEAR(sum, 1, 1e-6);
    }
  }
}

TEST(DeriveAttention, AnyRowsMayBeAskedFor) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 150});
  const auto all = derive_attention(capture.query(1)->view(), capture.key(1)->view(),
                                    capture.info().query_token, {});
  const std::vector<std::int32_t> some{0, 3, 77, 149};
  const auto few = derive_attention(capture.query(1)->view(), capture.key(1)->view(), some, {});
  ASSERT_EQ(few.shape(), (Shape<3>{4, 4, 150}));
  for (std::int64_t head = 0; head < 4; ++head) {
    for (std::int64_t row = 0; row < 4; ++row) {
      for (std::int64_t t = 0; t < 150; ++t) {
        EXPECT_NEAR(few(head, row, t), all(head, some[static_cast<std::size_t>(row)], t), 1e-6);
      }
    }
  }
}

// A query of tiny_mistral sees itself and 7 keys before it.
TEST(DeriveAttention, KeepsToAModelsSlidingWindow) {
  const ReferenceFile reference(test_data_path("oracle/tiny_mistral_forward.h5"));
  const auto query = reference.floats("query"), key = reference.floats("key"),
             attention = reference.floats("attention");
  const auto shape = reference.shape("query"), key_shape = reference.shape("key");
  const std::int64_t n_heads = shape[1], n_tokens = shape[2], d = shape[3];
  std::vector<std::int32_t> all;
  for (std::int32_t t = 0; t < n_tokens; ++t) all.push_back(t);
  double largest = 0;
  for (std::int64_t layer = 0; layer < shape[0]; ++layer) {
    const auto derived = derive_attention(
        {query.data() + layer * n_heads * n_tokens * d, {n_heads, n_tokens, d}},
        {key.data() + layer * key_shape[1] * n_tokens * d, {key_shape[1], n_tokens, d}}, all,
        {.window = 8});
    const float* expected = attention.data() + layer * n_heads * n_tokens * n_tokens;
    for (std::size_t i = 0; i < derived.span().size(); ++i) {
      largest = std::max(largest, std::abs(double{derived.span()[i]} - double{expected[i]}));
    }
    EXPECT_EQ(derived(0, n_tokens - 1, n_tokens - 9), 0.0f);
    EXPECT_GT(derived(0, n_tokens - 1, n_tokens - 8), 0.0f);
  }
  EXPECT_LE(largest, 1e-5);
  std::cout << "largest deviation, tiny_mistral_forward: derived attention " << largest << "\n";
}

// tiny_bloom's keys carry no positions: the slopes have to enter.
TEST(DeriveAttention, TakesAlibisSlopesIn) {
  const ReferenceFile reference(test_data_path("oracle/tiny_bloom_forward.h5"));
  const auto query = reference.floats("query"), key = reference.floats("key"),
             attention = reference.floats("attention"), slopes = reference.floats("alibi_slope");
  const auto shape = reference.shape("query");
  const std::int64_t n_heads = shape[1], n_tokens = shape[2], d = shape[3];
  std::vector<std::int32_t> all;
  for (std::int32_t t = 0; t < n_tokens; ++t) all.push_back(t);
  const auto largest_deviation = [&](const LayerScoreRule& rule) {
    double largest = 0;
    for (std::int64_t layer = 0; layer < shape[0]; ++layer) {
      const Shape<3> heads{n_heads, n_tokens, d};
      const auto derived =
          derive_attention({query.data() + layer * n_heads * n_tokens * d, heads},
                           {key.data() + layer * n_heads * n_tokens * d, heads}, all, rule);
      const float* expected = attention.data() + layer * n_heads * n_tokens * n_tokens;
      for (std::size_t i = 0; i < derived.span().size(); ++i) {
        largest = std::max(largest, std::abs(double{derived.span()[i]} - double{expected[i]}));
      }
    }
    return largest;
  };
  const double with = largest_deviation({.window = 0, .alibi_slopes = slopes});
  EXPECT_LE(with, 1e-5);
  EXPECT_GT(largest_deviation({}), 0.1);
  std::cout << "largest deviation, tiny_bloom_forward: derived attention " << with << "\n";
}

}  // namespace
}  // namespace qaq::test
