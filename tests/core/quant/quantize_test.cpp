// The micro-examples 1 to 6 and 9 of the mathematics, section 2.9, and what must always hold.
#include "core/quant/quantize.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "core/quant/nominal_size.h"

namespace qaq {
namespace {

struct Quantized {
  Plan plan;
  std::vector<float> values;
  std::vector<int> mask;
};

// A cache given row by row, token first within a head, quantized with the same bits everywhere.
Quantized quantize(const std::vector<float>& numbers, const CacheShape& shape,
                   const QuantizerSpec& spec, int n_bits) {
  NdArray<float, 4> cache({shape.n_layers, shape.n_kv_heads, shape.n_tokens, shape.head_dim});
  std::copy(numbers.begin(), numbers.end(), cache.data());
  Quantized out;
  out.plan.quantizer = spec;
  out.plan.layout = UnitLayout(spec.level, shape);
  const auto n_units = static_cast<std::size_t>(out.plan.layout.n_units());
  out.plan.n_bits.assign(n_units, static_cast<std::uint8_t>(n_bits));
  std::vector<UnitStats> stats(n_units);
  std::vector<CacheLayer> layers;
  for (std::int64_t l = 0; l < shape.n_layers; ++l) layers.push_back(cache.view().sub(l));
  fill_unit_stats(out.plan.layout, spec, 0, layers, stats);
  NdArray<float, 4> values(cache.shape(), 1e30f);
  NdArray<std::uint8_t, 4> masks(
      {shape.n_layers, shape.n_kv_heads, shape.n_tokens, (shape.head_dim + 7) / 8}, 0xff);
  for (std::int64_t l = 0; l < shape.n_layers; ++l) {
    quantize_layer(out.plan, stats, l, layers[static_cast<std::size_t>(l)],
                   {values.view().sub(l), masks.view().sub(l)});
  }
  out.values.assign(values.span().begin(), values.span().end());
  for (std::int64_t l = 0; l < shape.n_layers; ++l) {
    for (std::int64_t h = 0; h < shape.n_kv_heads; ++h) {
      for (std::int64_t t = 0; t < shape.n_tokens; ++t) {
        for (std::int64_t d = 0; d < shape.head_dim; ++d) {
          out.mask.push_back(masks(l, h, t, d / 8) >> (7 - d % 8) & 1);
        }
      }
    }
  }
  return out;
}

Quantized quantize_unit(const std::vector<float>& unit, int n_bits, QuantizerSpec spec = {}) {
  spec.level = Level::head;
  return quantize(unit, {1, 1, 1, static_cast<std::int64_t>(unit.size())}, spec, n_bits);
}

using Values = std::vector<float>;

TEST(QuantizeExample, Number1) {
  const Values ramp{0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(quantize_unit(ramp, 2).values, (Values{0, 1.75, 1.75, 3.5, 3.5, 5.25, 5.25, 5.25}));
  EXPECT_EQ(quantize_unit(ramp, 1).values, (Values{0, 0, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5}));
  EXPECT_EQ(quantize_unit(ramp, 0).values, Values(8, 0.0f));
}

TEST(QuantizeExample, Number2) {
  const Values spike{0, 0, 0, 0, 0, 0, 0, 8};
  EXPECT_EQ(quantize_unit(spike, 2).values, (Values{1, 1, 1, 1, 1, 1, 1, 3}));
  EXPECT_EQ(quantize_unit(spike, 4).values, (Values{0, 0, 0, 0, 0, 0, 0, 4.5}));
  EXPECT_EQ(quantize_unit(spike, 8).values, (Values{0, 0, 0, 0, 0, 0, 0, 4.96875}));
}

TEST(QuantizeExample, Number3) {
  EXPECT_EQ(quantize_unit({-2, -1, 0, 3}, 2).values, (Values{-2.5, -1.25, 0, 1.25}));
}

TEST(QuantizeExample, Number4) {
  const Quantized q =
      quantize_unit({-10, 1, 2, 3, 4, 5, 6, 20}, 2, QuantizerSpec{.outliers_ratio = 0.25});
  EXPECT_EQ(q.values, (Values{-10, 1, 2.25, 3.5, 3.5, 4.75, 4.75, 20}));
  EXPECT_EQ(q.mask, (std::vector<int>{1, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_DOUBLE_EQ(nominal_size(q.plan, 32).average_n_bits, 9.5);
  EXPECT_DOUBLE_EQ(nominal_size(q.plan, 16).average_n_bits, 5.5);
}

TEST(QuantizeExample, Number5) {
  const Quantized q =
      quantize_unit({1, 1, 1, 2, 3, 4, 9, 9}, 2, QuantizerSpec{.outliers_ratio = 0.25});
  const Values expected{1, 1, 1, 1.9f, 3.65f, 3.65f, 7.15f, 7.15f};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_FLOAT_EQ(q.values[i], expected[i]);
  EXPECT_EQ(q.mask, (std::vector<int>{1, 1, 1, 0, 0, 0, 0, 0}));
}

TEST(QuantizeExample, Number6) {
  const Quantized q =
      quantize_unit({-2, -1, 0, 1, 2, 4, -3, -1}, 2, QuantizerSpec{.method = Method::normal});
  const Values expected{-2.608747f, -0.7226061f, -0.7226061f, 0.7226061f,
                        2.608747f,  2.608747f,   -2.608747f,  -0.7226061f};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(q.values[i], expected[i], 1e-6);
}

TEST(QuantizeExample, Number9) {
  const Values ramp{0, 1, 2, 3, 4, 5, 6, 7};
  const CacheShape shape{2, 2, 1, 2};
  EXPECT_EQ(quantize(ramp, shape, {.level = Level::token}, 2).values,
            (Values{0, 1.75, 1.75, 3.5, 3.5, 5.25, 5.25, 5.25}));
  EXPECT_EQ(quantize(ramp, shape, {.level = Level::layer}, 2).values,
            (Values{0, .75, 2.25, 2.25, 4, 4.75, 6.25, 6.25}));
  EXPECT_EQ(quantize(ramp, shape, {.level = Level::head}, 2).values,
            (Values{0, .75, 2, 2.75, 4, 4.75, 6, 6.75}));
}

TEST(Quantize, SymmetricCentresOnZero) {
  // Positive extremes always lose a step, and 0 bits give minus the largest magnitude.
  EXPECT_EQ(quantize_unit(Values(4, 1.25f), 2, QuantizerSpec{.symmetric = true}).values,
            Values(4, 0.625f));
  EXPECT_EQ(quantize_unit({1, -3, 2, 0}, 0, QuantizerSpec{.symmetric = true}).values,
            Values(4, -3.0f));
}

TEST(Quantize, AConstantUnitStaysWhatItIs) {
  for (const Method method : {Method::uniform, Method::normal}) {
    for (const int n_bits : {0, 1, 2, 8, 16}) {
      EXPECT_EQ(quantize_unit(Values(4, 0.1f), n_bits, QuantizerSpec{.method = method}).values,
                Values(4, 0.1f));
      EXPECT_EQ(
          quantize_unit(Values(4, 0.0f), n_bits, QuantizerSpec{.method = method, .symmetric = true})
              .values,
          Values(4, 0.0f));
    }
  }
}

TEST(Quantize, OneValueIsItsOwnMean) {
  for (const Method method : {Method::uniform, Method::normal}) {
    EXPECT_EQ(quantize_unit({-7.5}, 3, QuantizerSpec{.method = method}).values, Values{-7.5});
  }
}

TEST(Quantize, AUnitWithoutInliersIsKeptExactly) {
  const Quantized q = quantize_unit(Values(4, 1.25f), 2, QuantizerSpec{.outliers_ratio = 0.25});
  EXPECT_EQ(q.values, Values(4, 1.25f));
  EXPECT_EQ(q.mask, (std::vector<int>{1, 1, 1, 1}));
}

TEST(Quantize, ExtremeButFiniteValuesStayFinite) {
  const float largest = std::numeric_limits<float>::max();
  for (const bool symmetric : {false, true}) {
    for (const int n_bits : {1, 4, 16}) {
      for (const float x :
           quantize_unit({-largest, largest, 0, 1}, n_bits, QuantizerSpec{.symmetric = symmetric})
               .values) {
        EXPECT_TRUE(std::isfinite(x)) << n_bits;
      }
    }
  }
}

TEST(Quantize, ErrorsStayWithinTheClippingBound) {
  // Section 2.5: the largest error is scale / 2, or the clipping at an end where the mean is not in
  // the middle: scale - c at the top and c at the bottom, c = mean - (max + min) / 2.
  std::mt19937 random(11);
  for (int trial = 0; trial < 200; ++trial) {
    Values unit(32);
    for (float& x : unit) {
      const auto u = static_cast<float>(random() % 4096) / 4096;
      x = u * u * 10 - 3;
    }
    const int n_bits = 1 + trial % 8;
    const Quantized q = quantize_unit(unit, n_bits);
    const auto [min, max] = std::minmax_element(unit.begin(), unit.end());
    double mean = 0;
    for (const float x : unit) mean += x / 32.0;
    const double scale = (double{*max} - *min) / (1 << n_bits);
    const double c = mean - (double{*max} + *min) / 2;
    const double bound = c >= 0 ? std::max({scale / 2, scale - c, c}) : scale + std::abs(c);
    for (std::size_t i = 0; i < unit.size(); ++i) {
      EXPECT_LE(std::abs(double{q.values[i]} - unit[i]), bound * 1.0001);
    }
  }
}

TEST(Quantize, QuantizingTokensInAnotherOrderChangesNothingElse) {
  const CacheShape shape{1, 1, 6, 8};
  std::mt19937 random(5);
  Values numbers(48), reversed(48);
  for (float& x : numbers) x = static_cast<float>(random() % 999) / 100;
  for (std::size_t t = 0; t < 6; ++t) {
    std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(8 * t), 8,
                reversed.begin() + static_cast<std::ptrdiff_t>(8 * (5 - t)));
  }
  const QuantizerSpec spec{.level = Level::head, .outliers_ratio = 0.2};
  const Quantized a = quantize(numbers, shape, spec, 3), b = quantize(reversed, shape, spec, 3);
  for (std::size_t t = 0; t < 6; ++t) {
    for (std::size_t d = 0; d < 8; ++d) {
      EXPECT_EQ(a.values[8 * t + d], b.values[8 * (5 - t) + d]);
      EXPECT_EQ(a.mask[8 * t + d], b.mask[8 * (5 - t) + d]);
    }
  }
}

}  // namespace
}  // namespace qaq
