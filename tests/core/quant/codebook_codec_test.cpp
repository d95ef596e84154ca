// Codebooks against KVQuant's own simulation and scikit-learn's k-means.
#include "core/quant/codebook_codec.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

#include "core/base/parallel.h"
#include "core/tensor/vector_math.h"
#include "tests/support/deviation.h"
#include "tests/support/rival_reference.h"

namespace qaq {
namespace {

using test::rival_codecs;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Case {
  std::string group;  // kvquant/N
  std::string side;
  CodebookSpec spec;

  double number(const std::string& name) const {
    return rival_codecs().number_attribute(group, name);
  }
  std::vector<float> floats(const std::string& name) const {
    return rival_codecs().floats(group + "/" + side + name);
  }
  NdArray<float, 3> input() const {
    return side == "value" ? test::rival_input(side)
                           : test::layer_of(rival_codecs(), "kvquant/key_pre_rope");
  }
};

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const std::string& name : rival_codecs().names("kvquant")) {
    if (name == "key_pre_rope") continue;
    for (const std::string side : {"key", "value"}) {
      Case c{"kvquant/" + name, side, {}};
      c.spec = {.n_bits = static_cast<int>(c.number("bits")),
                .axis = side == "key" ? GroupAxis::channel : GroupAxis::token,
                .sparsity_threshold = c.number("sparsity_threshold"),
                .nuq = c.number("nuq") == 1,
                .first_few_fp16 = static_cast<std::int64_t>(c.number("first_few_fp16")),
                .norm = c.number("norm") == 1};
      out.push_back(c);
    }
  }
  EXPECT_EQ(out.size(), 10u);
  return out;
}

struct Quantized {
  NdArray<float, 3> values;
  NdArray<std::uint8_t, 3> outliers;
  std::int64_t n_outliers = 0;
};

Quantized quantized(const CodebookSpec& spec, const Codebook& book,
                    const NdArray<float, 3>& input) {
  const Shape<3> shape = input.shape();
  Quantized out{NdArray<float, 3>(shape, kNan),
                NdArray<std::uint8_t, 3>({shape[0], shape[1], (shape[2] + 7) / 8}, 0x55)};
  out.n_outliers = quantize_by_codebook(spec, book, input.view(), {0, shape[1]},
                                        {out.values.view(), out.outliers.view()});
  return out;
}

std::vector<float> row_of(const NdArray<float, 3>& layer, std::int64_t token) {
  std::vector<float> row;
  for (std::int64_t head = 0; head < layer.shape(0); ++head) {
    const auto values = layer.sub(head, token).span();
    row.insert(row.end(), values.begin(), values.end());
  }
  return row;
}

double deviation_of(std::span<const float> ours, std::span<const float> theirs) {
  test::Deviation deviation;
  deviation.add(ours, theirs);
  return deviation.max_abs;
}

TEST(PercentileEnds, InterpolatesBetweenNeighbours) {
  const std::vector<float> values{5, 1, 4, 2, 3};
  const PercentileEnds half = percentile_ends(values, 0.5);
  EXPECT_EQ(half.lower, 2);
  EXPECT_EQ(half.upper, 4);
  const PercentileEnds wide = percentile_ends(values, 0.9);
  EXPECT_FLOAT_EQ(wide.lower, 1.2f);
  EXPECT_FLOAT_EQ(wide.upper, 4.8f);
  for (const double threshold : {0.01, 0.99, 1.0}) {
    EXPECT_EQ(percentile_ends(std::vector<float>{7}, threshold).lower, 7);
    EXPECT_EQ(percentile_ends(std::vector<float>{7}, threshold).upper, 7);
  }
  EXPECT_EQ(percentile_ends(values, 1).lower, 1);
  EXPECT_EQ(percentile_ends(values, 1).upper, 5);
  // Far from the ends: other ways of finding an order.
  std::vector<float> many(1001);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i * 8 % 1001);
  EXPECT_FLOAT_EQ(percentile_ends(many, 0.5).lower, 250);
  EXPECT_FLOAT_EQ(percentile_ends(many, 0.5).upper, 750);
}

TEST(CodebookCodec, ThresholdsAreThoseOfTheCalibration) {
  for (const Case& c : cases()) {
    const auto input = c.input();
    const double bound = 1e-6 * test::largest_magnitude(input.span());
    if (c.side == "key") {
      const Codebook book = calibrate_codebook(c.spec, input.view(), input.shape(1));
      EXPECT_LE(deviation_of(book.lower, c.floats("_lower")), bound);
      EXPECT_LE(deviation_of(book.upper, c.floats("_upper")), bound);
      continue;
    }
    const auto lower = c.floats("_calibration_lower"), upper = c.floats("_calibration_upper");
    for (std::int64_t token = 0; token < input.shape(1); ++token) {
      const PercentileEnds ends = percentile_ends(row_of(input, token), c.spec.sparsity_threshold);
      EXPECT_NEAR(ends.lower, lower[static_cast<std::size_t>(token)], bound);
      EXPECT_NEAR(ends.upper, upper[static_cast<std::size_t>(token)], bound);
    }
  }
}

// Thresholds are our own, centroids and Q-Norm the stored ones.
TEST(CodebookCodec, ValuesAndOutliersByTheStoredCodebook) {
  for (const Case& c : cases()) {
    const auto input = c.input();
    Codebook book = calibrate_codebook(c.spec, input.view(), input.shape(1));
    if (c.spec.nuq) {
      book.centroids = c.floats("_codebook");
      std::ranges::sort(book.centroids);
    }
    if (c.spec.norm) {
      book.norm_scale = static_cast<float>(c.number(c.side + "_normscale"));
      book.norm_offset = static_cast<float>(c.number(c.side + "_normoffset"));
    }
    const Quantized ours = quantized(c.spec, book, input);
    EXPECT_LE(deviation_of(ours.values.span(), c.floats("")),
              1e-5 * test::largest_magnitude(input.span()))
        << c.group << " " << c.side;
    const auto flags = rival_codecs().bytes(c.group + "/" + c.side + "_outlier");
    std::int64_t n_wrong = 0, n_changed = 0, n_kept = 0;
    for (std::int64_t i = 0; i < input.size(); ++i) {
      const std::uint8_t packed = ours.outliers.data()[i / 8];
      const bool kept = (packed & (0x80u >> (i % 8))) != 0;
      n_kept += kept;
      n_wrong += kept != (flags[static_cast<std::size_t>(i)] != 0);
      n_changed += kept && ours.values.data()[i] != input.data()[i];
    }
    EXPECT_EQ(n_wrong, 0) << c.group << " " << c.side;
    EXPECT_EQ(n_changed, 0) << c.group << " " << c.side;
    EXPECT_EQ(ours.n_outliers, n_kept - c.spec.first_few_fp16 * input.shape(0) * input.shape(2));
  }
}

// Calls body(z) for what the first few tokens leave of values between their stored ends.
template <class Body>
void for_each_inlier(const Case& c, const NdArray<float, 3>& input, const Body& body) {
  const bool key = c.side == "key";
  const auto lower = c.floats(key ? "_lower" : "_calibration_lower");
  const auto upper = c.floats(key ? "_upper" : "_calibration_upper");
  for (std::int64_t head = 0; head < input.shape(0); ++head) {
    for (std::int64_t token = c.spec.first_few_fp16; token < input.shape(1); ++token) {
      for (std::int64_t d = 0; d < input.shape(2); ++d) {
        const auto at = static_cast<std::size_t>(key ? head * input.shape(2) + d : token);
        const double low = lower[at], high = upper[at], x = input(head, token, d);
        if (x >= low && x <= high) body((x - (high + low) / 2) / ((high - low) / 2));
      }
    }
  }
}

double nearest(const std::vector<float>& centroids, double z) {
  return *std::ranges::min_element(centroids, {}, [z](float c) { return std::abs(z - c); });
}

TEST(CodebookCodec, OurCentroidsLoseAsLittleAsScikitLearns) {
  for (const Case& c : cases()) {
    if (!c.spec.nuq) continue;
    const auto input = c.input();
    const Codebook book = calibrate_codebook(c.spec, input.view(), input.shape(1));
    EXPECT_TRUE(std::ranges::is_sorted(book.centroids));
    double loss = 0, n = 0;
    for_each_inlier(c, input, [&](double z) {
      loss += std::pow(z - nearest(book.centroids, z), 2);
      ++n;
    });
    EXPECT_EQ(n, c.number(c.side + "_kmeans_points"));
    const double share = loss / n / c.number(c.side + "_kmeans_loss");
    EXPECT_LE(share, 1.05) << c.group << " " << c.side;
    EXPECT_GE(share, 0.9) << "less than any k-means can lose";
  }
}

TEST(CodebookCodec, QNormGivesBackMeanAndDeviation) {
  for (const Case& c : cases()) {
    if (!c.spec.norm) continue;
    const auto input = c.input();
    const Codebook book = calibrate_codebook(c.spec, input.view(), input.shape(1));
    double n = 0, sum = 0, squares = 0, new_sum = 0, new_squares = 0;
    for_each_inlier(c, input, [&](double z) {
      const double y = nearest(book.centroids, z) * book.norm_scale + book.norm_offset;
      sum += z, squares += z * z, new_sum += y, new_squares += y * y, ++n;
    });
    EXPECT_NEAR(new_sum / n, sum / n, 1e-4);
    EXPECT_NEAR(new_squares / n, squares / n, 1e-4);
    EXPECT_NEAR(book.norm_scale, c.number(c.side + "_normscale"), 0.01);
    EXPECT_NEAR(book.norm_offset, c.number(c.side + "_normoffset"), 0.01);
  }
}

TEST(CodebookCodec, TheLowerOfTwoCentroidsAsNear) {
  NdArray<float, 3> input({1, 1, 3});
  input(0, 0, 0) = 0, input(0, 0, 1) = 0.25f, input(0, 0, 2) = 0.2500001f;
  const CodebookSpec spec{.n_bits = 1};
  const Codebook book{{-1, -1, -1}, {1, 1, 1}, {-0.5f, 1}};
  const Quantized out = quantized(spec, book, input);
  EXPECT_EQ(out.values(0, 0, 0), -0.5f);
  EXPECT_EQ(out.values(0, 0, 1), -0.5f);
  EXPECT_EQ(out.values(0, 0, 2), 1);
}

TEST(CodebookCodec, ValuesAtTheirPercentilesAreKeptKeysAreNot) {
  NdArray<float, 3> row({1, 1, 5}), column({1, 5, 1});
  for (std::int64_t i = 0; i < 5; ++i) row(0, 0, i) = column(0, i, 0) = static_cast<float>(5 - i);
  // Percentiles 2 and 4.
  CodebookSpec spec{.n_bits = 1, .axis = GroupAxis::token, .sparsity_threshold = 0.5};
  const Quantized values = quantized(spec, {{}, {}, {-1, 1}}, row);
  EXPECT_EQ(values.outliers(0, 0, 0), 0b11011000);
  EXPECT_EQ(values.values(0, 0, 2), 3) << "the only other value";
  spec.axis = GroupAxis::channel;
  Codebook book = calibrate_codebook(spec, column.view(), 5);
  book.centroids = {-1, 1};
  EXPECT_EQ(quantized(spec, book, column).n_outliers, 2);
}

TEST(CodebookCodec, TheFirstFewTokensAreNotClustered) {
  const auto input = test::random_layer({2, 12, 16}, 19);
  NdArray<float, 3> rest({2, 9, 16});
  for (std::int64_t head = 0; head < 2; ++head) {
    std::copy_n(input.sub(head, 3).data(), 9 * 16, rest.sub(head).data());
  }
  CodebookSpec spec{.n_bits = 3, .axis = GroupAxis::token};
  const Codebook expected = calibrate_codebook(spec, rest.view(), 9);
  EXPECT_NE(calibrate_codebook(spec, input.view(), 12).centroids, expected.centroids);
  spec.first_few_fp16 = 3;
  EXPECT_EQ(calibrate_codebook(spec, input.view(), 12).centroids, expected.centroids);
  const Quantized out = quantized(spec, expected, input);
  EXPECT_TRUE(std::ranges::equal(out.values.sub(1, 2).span(), input.sub(1, 2).span()));
  EXPECT_FALSE(std::ranges::equal(out.values.sub(1, 3).span(), input.sub(1, 3).span()));
  // More than there are: all are kept, and any codebook will do.
  spec.first_few_fp16 = 100;
  const Quantized all = quantized(spec, calibrate_codebook(spec, input.view(), 12), input);
  EXPECT_TRUE(std::ranges::equal(all.values.span(), input.span()));
  EXPECT_EQ(all.n_outliers, 0);
}

TEST(CodebookCodec, ConstantInputComesOutAsItWentIn) {
  for (const std::int64_t n_tokens : {1, 5}) {
    NdArray<float, 3> input({2, n_tokens, 16}, -3.25f);
    for (const GroupAxis axis : {GroupAxis::channel, GroupAxis::token}) {
      for (const bool nuq : {true, false}) {
        for (const double threshold : {0.99, 1.0}) {
          const CodebookSpec spec{
              .n_bits = 3, .axis = axis, .sparsity_threshold = threshold, .nuq = nuq, .norm = nuq};
          const Quantized out =
              quantized(spec, calibrate_codebook(spec, input.view(), n_tokens), input);
          EXPECT_TRUE(std::ranges::equal(out.values.span(), input.span()));
        }
      }
    }
  }
}

TEST(CodebookCodec, MoreBitsNeverRaiseTheErrorAndOutliersAreTheShareAskedFor) {
  for (const std::int64_t head_dim : {16, 64, 128}) {
    const auto input = test::random_layer({2, 200, head_dim}, 13);
    for (const GroupAxis axis : {GroupAxis::channel, GroupAxis::token}) {
      for (const bool nuq : {true, false}) {
        double last = std::numeric_limits<double>::infinity();
        for (int n_bits = 1; n_bits <= 6; ++n_bits) {
          const CodebookSpec spec{
              .n_bits = n_bits, .axis = axis, .sparsity_threshold = 0.9, .nuq = nuq};
          const Quantized out = quantized(spec, calibrate_codebook(spec, input.view(), 200), input);
          const double error = squared_distance(out.values.span(), input.span());
          EXPECT_LE(error, last * 1.01) << n_bits;
          EXPECT_GT(error, 0);
          last = error;
          const double share =
              static_cast<double>(out.n_outliers) / static_cast<double>(input.size());
          EXPECT_NEAR(share, 0.1, 0.04);
        }
      }
    }
  }
}

TEST(CodebookCodec, SpansInPlaceAndThreads) {
  const auto input = test::random_layer({3, 50, 64}, 17);
  for (const GroupAxis axis : {GroupAxis::channel, GroupAxis::token}) {
    const CodebookSpec spec{.n_bits = 3, .axis = axis, .norm = true};
    const int n_threads = thread_count();
    set_thread_count(1);
    const Codebook book = calibrate_codebook(spec, input.view(), 50);
    const Quantized whole = quantized(spec, book, input);
    set_thread_count(3);
    const Codebook again = calibrate_codebook(spec, input.view(), 50);
    EXPECT_EQ(again.lower, book.lower);
    EXPECT_EQ(again.centroids, book.centroids);
    EXPECT_EQ(again.norm_scale, book.norm_scale);
    const Quantized threaded = quantized(spec, again, input);
    set_thread_count(n_threads);
    EXPECT_TRUE(std::ranges::equal(threaded.values.span(), whole.values.span()));
    EXPECT_TRUE(std::ranges::equal(threaded.outliers.span(), whole.outliers.span()));

    auto in_place = input.copy();
    quantize_by_codebook(spec, book, in_place.view(), {20, 41}, {in_place.view()});
    for (std::int64_t head = 0; head < 3; ++head) {
      for (std::int64_t token = 0; token < 50; ++token) {
        const bool in = token >= 20 && token < 41;
        for (std::int64_t d = 0; d < 64; ++d) {
          ASSERT_EQ(in_place(head, token, d),
                    in ? whole.values(head, token, d) : input(head, token, d));
        }
      }
    }
  }
}

TEST(CodebookBytes, OfTheMathematics) {
  const CacheShape shape{1, 3, 95, 64};
  // Keys, 3 bits: 72 bytes a row of 192, 100 outliers of 2 + 1, their count.
  CodebookSpec spec{.n_bits = 3};
  EXPECT_EQ(codebook_bytes(spec, shape, 100), (PackedBytes{.payload = 95 * 72,
                                                           .outlier_values = 200,
                                                           .outlier_indices = 100,
                                                           .outlier_counts = 190}));
  // Values: 4 bytes a row more; the first 5 tokens stand as they are.
  spec = {.n_bits = 3, .axis = GroupAxis::token, .first_few_fp16 = 5};
  EXPECT_EQ(codebook_bytes(spec, shape, 100), (PackedBytes{.payload = 90 * 72 + 5 * 192 * 2,
                                                           .scales = 90 * 4,
                                                           .outlier_values = 200,
                                                           .outlier_indices = 100,
                                                           .outlier_counts = 180}));
  spec = {.n_bits = 4, .sparsity_threshold = 1};
  EXPECT_EQ(codebook_bytes(spec, {2, 8, 10, 128}, 0), (PackedBytes{.payload = 2 * 10 * 512}));
  EXPECT_EQ(codebook_table_bytes(
                spec, {std::vector<float>(1024), std::vector<float>(1024), std::vector<float>(16)}),
            4 * (2048 + 16));
}

}  // namespace
}  // namespace qaq
