// Groups between their ends against the rivals' own: uniform by separate numpy, KIVI by its kernel.
#include "core/quant/group_codec.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

#include "core/base/parallel.h"
#include "core/tensor/vector_math.h"
#include "tests/support/deviation.h"
#include "tests/support/rival_reference.h"
#include "tests/support/simd_targets.h"

namespace qaq {
namespace {

using test::rival_codecs;
using test::rival_input;

struct Grouped {
  NdArray<float, 3> values;
  NdArray<std::uint8_t, 3> codes;
};

Grouped grouped(const GroupSpec& spec, const NdArray<float, 3>& input, TokenSpan tokens) {
  Grouped out{NdArray<float, 3>(input.shape(), std::numeric_limits<float>::quiet_NaN()),
              NdArray<std::uint8_t, 3>(input.shape(), 255)};
  quantize_groups(spec, input.view(), tokens, {out.values.view(), out.codes.view()});
  return out;
}

Grouped grouped(const GroupSpec& spec, const NdArray<float, 3>& input) {
  return grouped(spec, input, {0, input.shape(1)});
}

std::vector<float> values_of(const GroupSpec& spec, std::vector<float> values) {
  NdArray<float, 3> input({1, 1, std::ssize(values)});
  if (spec.axis == GroupAxis::channel) input = NdArray<float, 3>({1, std::ssize(values), 1});
  std::copy(values.begin(), values.end(), input.data());
  const Grouped out = grouped(spec, input);
  return {out.values.span().begin(), out.values.span().end()};
}

GroupAxis axis_of(const std::string& name) {
  return name == "token" ? GroupAxis::token : GroupAxis::channel;
}

TEST(GroupCodec, MicroExampleOnBothAxes) {
  for (const GroupAxis axis : {GroupAxis::token, GroupAxis::channel}) {
    const GroupSpec spec{.n_bits = 2, .axis = axis, .store_scale = StoreScale::f32};
    const float step = 4.0f / 3.0f;
    EXPECT_EQ(values_of(spec, {0, 1, 2, 4}), (std::vector<float>{0, step, 2 * step, 4}));
  }
}

TEST(GroupCodec, GroupsWithoutSpreadAreTheirMinimum) {
  for (const GroupAxis axis : {GroupAxis::token, GroupAxis::channel}) {
    for (const StoreScale store : {StoreScale::f32, StoreScale::f16}) {
      const GroupSpec spec{.n_bits = 3, .axis = axis, .group_size = 2, .store_scale = store};
      EXPECT_EQ(values_of(spec, {-1.5f, -1.5f, 0, 0, 7}),
                (std::vector<float>{-1.5f, -1.5f, 0, 0, 7}));
    }
    // A scale that float16 rounds to 0.
    const GroupSpec spec{.n_bits = 8, .axis = axis};
    EXPECT_EQ(values_of(spec, {1, 1.000001f}), (std::vector<float>{1, 1}));
  }
}

TEST(GroupCodec, UniformAsSeparateNumpyHasIt) {
  test::with_each_simd_target([] {
    int n = 0;
    for (const std::string& name : rival_codecs().names("uniform")) {
      const std::string group = "uniform/" + name;
      GroupSpec spec{.n_bits = static_cast<int>(rival_codecs().number_attribute(group, "bits")),
                     .axis = axis_of(rival_codecs().text_attribute(group, "axis")),
                     .group_size = static_cast<std::int64_t>(
                         rival_codecs().number_attribute(group, "group_size"))};
      for (const std::string& result : rival_codecs().names(group)) {
        spec.store_scale = result.ends_with("f16") ? StoreScale::f16 : StoreScale::f32;
        const auto input = rival_input(result.substr(0, result.find('_')));
        const auto reference = test::layer_of(rival_codecs(), group + "/" + result);
        test::Deviation deviation;
        deviation.add(std::span<const float>(grouped(spec, input).values.span()),
                      std::span<const float>(reference.span()));
        EXPECT_LE(deviation.max_abs, 1e-6 * test::largest_magnitude(input.span()))
            << group << "/" << result;
        ++n;
      }
    }
    EXPECT_EQ(n, 9);
  });
}

struct KiviCase {
  std::string group;  // kivi/bB_gG_rR/f32 or f16
  std::string side;
  GroupSpec spec;
};

std::vector<KiviCase> kivi_cases(const std::string& dtype) {
  std::vector<KiviCase> cases;
  for (const std::string& name : rival_codecs().names("kivi")) {
    const std::string group = "kivi/" + name + "/" + dtype;
    const auto number = [&](const char* attribute) {
      return static_cast<int>(rival_codecs().number_attribute(group, attribute));
    };
    for (const auto& [side, axis] :
         {std::pair("key", GroupAxis::channel), std::pair("value", GroupAxis::token)}) {
      cases.push_back({group, side, {number("bits"), axis, number("group_size")}});
    }
  }
  EXPECT_EQ(cases.size(), 8u);
  return cases;
}

// Calls body(ours, reference, our code, its code) for each value that KIVI quantized.
template <class Body>
void for_each_kivi_value(const KiviCase& c, const NdArray<float, 3>& input, const Body& body) {
  const auto reference = test::layer_of(rival_codecs(), c.group + "/" + c.side);
  const auto codes = rival_codecs().bytes(c.group + "/" + c.side + "_code");
  const std::int64_t n_tokens = reference.shape(1);
  const Grouped ours = grouped(c.spec, input, {0, n_tokens});
  std::size_t at = 0;
  for (std::int64_t head = 0; head < input.shape(0); ++head) {
    for (std::int64_t token = 0; token < input.shape(1); ++token) {
      for (std::int64_t d = 0; d < input.shape(2); ++d) {
        if (token >= n_tokens) {
          ASSERT_TRUE(std::isnan(ours.values(head, token, d))) << "the residual was written";
          continue;
        }
        body(ours.values(head, token, d), reference(head, token, d), ours.codes(head, token, d),
             codes[at++]);
      }
    }
  }
}

TEST(GroupCodec, KiviInFloat32AsItsKernelHasIt) {
  for (KiviCase& c : kivi_cases("f32")) {
    c.spec.store_scale = StoreScale::f32;
    const auto input = rival_input(c.side);
    const double bound = 1e-6 * test::largest_magnitude(input.span());
    int n_codes = 0, n_values = 0;
    for_each_kivi_value(c, input, [&](float ours, float theirs, int code, int their_code) {
      n_codes += code != their_code;
      n_values += !(std::abs(ours - theirs) <= bound);
    });
    EXPECT_EQ(n_codes, 0) << c.group << " " << c.side;
    EXPECT_EQ(n_values, 0) << c.group << " " << c.side;
  }
}

TEST(GroupCodec, KiviInFloat16WithinWhatItsArithmeticMoves) {
  for (const char* dtype : {"f16", "f32"}) {
    for (const KiviCase& c : kivi_cases(dtype)) {
      const auto input = rival_input(c.side);
      const double bound = 2e-3 * test::largest_magnitude(input.span());
      int n = 0, n_moved = 0, n_far = 0, n_values = 0;
      for_each_kivi_value(c, input, [&](float ours, float theirs, int code, int their_code) {
        ++n;
        n_moved += code != their_code;
        n_far += std::abs(code - their_code) > 1;
        n_values += code == their_code && !(std::abs(ours - theirs) <= bound);
      });
      EXPECT_LE(n_moved, n / 200) << c.group << " " << c.side;
      EXPECT_EQ(n_far, 0) << c.group << " " << c.side;
      EXPECT_EQ(n_values, 0) << c.group << " " << c.side;
    }
  }
}

TEST(GroupCodec, GroupsOfOneTokenOneChannelAndShortRows) {
  for (const Shape<3> shape : {Shape<3>{2, 1, 16}, {1, 37, 64}, {2, 19, 128}, {1, 5, 1}}) {
    const auto input = test::random_layer(shape, 5);
    const std::int64_t head_dim = shape[2], n_tokens = shape[1];
    for (const std::int64_t size : {0, 1, 7, 16, 48, 1000}) {
      for (const GroupAxis axis : {GroupAxis::token, GroupAxis::channel}) {
        const GroupSpec spec{.n_bits = 3, .axis = axis, .group_size = size};
        const Grouped ours = grouped(spec, input);
        // Each group by itself.
        const std::int64_t length = axis == GroupAxis::token ? head_dim : n_tokens;
        const std::int64_t n_rows = axis == GroupAxis::token ? n_tokens : head_dim;
        const std::int64_t whole = size == 0 ? length : size;
        for (std::int64_t head = 0; head < shape[0]; ++head) {
          for (std::int64_t row = 0; row < n_rows; ++row) {
            const auto at = [&](const NdArray<float, 3>& a, std::int64_t i) {
              return axis == GroupAxis::token ? a(head, row, i) : a(head, i, row);
            };
            for (std::int64_t first = 0; first < length; first += whole) {
              std::vector<float> in, out;
              for (std::int64_t i = first; i < std::min(length, first + whole); ++i) {
                in.push_back(at(input, i));
                out.push_back(at(ours.values, i));
              }
              ASSERT_EQ(out, values_of({.n_bits = 3}, in)) << size << " " << head_dim;
            }
          }
        }
      }
    }
  }
}

TEST(GroupCodec, InPlaceAndOnAnySpanOfTokens) {
  const auto input = test::random_layer({2, 40, 64}, 7);
  for (const GroupAxis axis : {GroupAxis::token, GroupAxis::channel}) {
    const GroupSpec spec{.n_bits = 2, .axis = axis, .group_size = 16};
    const Grouped whole = grouped(spec, input);
    auto in_place = input.copy();
    quantize_groups(spec, in_place.view(), {16, 32}, {in_place.view()});
    for (std::int64_t head = 0; head < 2; ++head) {
      for (std::int64_t token = 0; token < 40; ++token) {
        for (std::int64_t d = 0; d < 64; ++d) {
          const bool in = token >= 16 && token < 32;
          ASSERT_EQ(in_place(head, token, d),
                    in ? whole.values(head, token, d) : input(head, token, d));
        }
      }
    }
    quantize_groups(spec, input.view(), {3, 3}, {in_place.view()});
  }
}

TEST(GroupCodec, SameBytesOnAnyNumberOfThreads) {
  const auto input = test::random_layer({3, 70, 64}, 9);
  const int n_threads = thread_count();
  for (const GroupAxis axis : {GroupAxis::token, GroupAxis::channel}) {
    const GroupSpec spec{.n_bits = 3, .axis = axis, .group_size = 48};
    set_thread_count(1);
    const Grouped one = grouped(spec, input);
    set_thread_count(3);
    const Grouped three = grouped(spec, input);
    EXPECT_TRUE(std::ranges::equal(one.values.span(), three.values.span()));
    EXPECT_TRUE(std::ranges::equal(one.codes.span(), three.codes.span()));
  }
  set_thread_count(n_threads);
}

TEST(GroupCodec, MoreBitsNeverRaiseTheError) {
  for (const std::int64_t head_dim : {16, 64, 128}) {
    const auto input = test::random_layer({2, 33, head_dim}, 11);
    for (const GroupAxis axis : {GroupAxis::token, GroupAxis::channel}) {
      for (const std::int64_t size : {0, 16, 32}) {
        double last = std::numeric_limits<double>::infinity();
        for (int n_bits = 1; n_bits <= 8; ++n_bits) {
          const GroupSpec spec{.n_bits = n_bits, .axis = axis, .group_size = size};
          const double error = squared_distance(grouped(spec, input).values.span(), input.span());
          EXPECT_LE(error, last * 1.001) << n_bits;
          last = error;
        }
        // Half a step at most, of steps of 1/255 of a range of some 15: rounding of the scale
        // apart.
        EXPECT_LT(last / static_cast<double>(input.size()), 1e-3);
        EXPECT_GT(last, 0);
      }
    }
  }
}

TEST(GroupBytes, KiviOfTheMathematics) {
  // b = 2, g = 128: 2.25 bits a value.
  const CacheShape shape{1, 1, 128, 128};
  for (const GroupAxis axis : {GroupAxis::token, GroupAxis::channel}) {
    const PackedBytes bytes =
        group_bytes({.n_bits = 2, .axis = axis, .group_size = 128}, shape, 128);
    EXPECT_EQ(bytes.payload, 128 * 128 * 2 / 8);
    EXPECT_EQ(bytes.scales, 128 * 4);
    EXPECT_EQ(bytes.total() * 8 * 100, shape.n_values() * 225);
  }
  // T = 300, R = 128, D = 64, g = 32: keys 256 tokens, values 172.
  const CacheShape mixed{2, 3, 300, 64};
  EXPECT_EQ(
      group_bytes({.n_bits = 4, .axis = GroupAxis::channel, .group_size = 32}, mixed, 256).total(),
      6 * (256 * 64 * 4 / 8 + 256 / 32 * 64 * 4 + 44 * 64 * 2));
  EXPECT_EQ(
      group_bytes({.n_bits = 4, .axis = GroupAxis::token, .group_size = 32}, mixed, 172).total(),
      6 * (172 * 64 * 4 / 8 + 172 * (64 / 32) * 4 + 128 * 64 * 2));
}

TEST(GroupBytes, ShortGroupsFillWholeBytesAndFloat32ScalesTakeTwice) {
  // 95 tokens at 3 bits: 285 bits, 36 bytes a channel; in groups of 32: 12 + 12 + 12.
  const CacheShape shape{1, 2, 95, 16};
  const GroupSpec spec{.n_bits = 3, .axis = GroupAxis::channel, .store_scale = StoreScale::f32};
  EXPECT_EQ(group_bytes(spec, shape, 95), (PackedBytes{.payload = 32 * 36, .scales = 32 * 8}));
  const GroupSpec three{.n_bits = 3, .axis = GroupAxis::channel, .group_size = 32};
  EXPECT_EQ(group_bytes(three, shape, 95),
            (PackedBytes{.payload = 32 * (12 + 12 + 12), .scales = 32 * 3 * 4}));
  EXPECT_EQ(group_bytes(three, shape, 0, DType::f32),
            (PackedBytes{.payload = shape.n_values() * 4}));
}

}  // namespace
}  // namespace qaq
