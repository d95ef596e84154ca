#include "core/policy/qaq_params.h"

#include <functional>
#include <gtest/gtest.h>
#include <limits>

#include "core/base/error.h"

namespace qaq {
namespace {

// The place that is refused, or "" where nothing is.
std::string refused_place(const std::function<void(QaqParams&)>& change) {
  QaqParams params;
  change(params);
  try {
    validate(params);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_FALSE(error.text().cure.empty());
    return error.text().place;
  }
  return "";
}

TEST(QaqParams, DefaultsAreValid) {
  EXPECT_EQ(refused_place([](QaqParams&) {}), "");
}

TEST(QaqParams, BitLimitsMustNotCross) {
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.n_bits_min = 9; }), "key.n_bits_min");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.value.n_bits_max = 0; }), "value.n_bits_min");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.n_bits_min = p.key.n_bits_max = 8; }), "");
}

TEST(QaqParams, NormalHasNoErrorBound) {
  EXPECT_EQ(refused_place([](QaqParams& p) { p.value.method = Method::normal; }), "value.method");
  EXPECT_EQ(refused_place([](QaqParams& p) {
              p.value.method = Method::normal;
              p.value.use_attentions = false;
            }),
            "");
}

TEST(QaqParams, WhatIsNotReadIsNotRefused) {
  EXPECT_EQ(refused_place([](QaqParams& p) {
              p.key.level = Level::no_quantization;
              p.key.n_bits_min = 9;
              p.key.method = Method::normal;
            }),
            "");
  EXPECT_EQ(refused_place([](QaqParams& p) {
              p.key.use_attentions = false;
              p.key.n_bits_min = 9;
            }),
            "");
}

TEST(QaqParams, RangesHoldForStructsToo) {
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.outliers_ratio = 1; }), "key.outliers_ratio");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.n_bits_max = 17; }), "key.n_bits_max");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.value.last_n_attentions = 0; }),
            "value.last_n_attentions");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.key.q_norm = 0; }), "key.q_norm");
  EXPECT_EQ(refused_place([](QaqParams& p) {
              p.value.target_quantization_error = std::numeric_limits<double>::quiet_NaN();
            }),
            "value.target_quantization_error");
  EXPECT_EQ(refused_place([](QaqParams& p) { p.dtype_bits = 24; }), "dtype_bits");
}

}  // namespace
}  // namespace qaq
