// Packing and unpacking: what comes back is what quantizing gives, bit for bit, and the bytes are
// those of the formulas of the mathematics, section 6.
#include "core/quant/packer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "core/base/error.h"
#include "core/base/half.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/quant/quantize.h"
#include "core/quant/unpacker.h"

namespace qaq {
namespace {

float stored_as(float value, DType dtype) {
  if (dtype == DType::f16) return float_from_half(half_from_float(value));
  return dtype == DType::bf16 ? float_from_bf16(bf16_from_float(value)) : value;
}

struct Cache {
  Plan plan;
  std::vector<UnitStats> stats;
  NdArray<float, 4> numbers;

  CacheLayer layer(std::int64_t l) const { return numbers.view().sub(l); }
  void measure() {
    if (plan.keeps_all()) return;
    stats.resize(static_cast<std::size_t>(plan.layout.n_units()));
    std::vector<CacheLayer> layers;
    for (std::int64_t l = 0; l < numbers.shape(0); ++l) layers.push_back(layer(l));
    fill_unit_stats(plan.layout, plan.quantizer, 0, layers, stats);
  }
  std::int64_t n_outliers() const {
    std::int64_t n = 0;
    for (const UnitStats& s : stats) n += plan.layout.unit_size() - s.n_inliers;
    return n;
  }
};

Cache empty_cache(const CacheShape& shape, const QuantizerSpec& spec) {
  Cache cache;
  cache.plan.quantizer = spec;
  cache.plan.layout = UnitLayout(spec.level, shape);
  cache.numbers =
      NdArray<float, 4>({shape.n_layers, shape.n_kv_heads, shape.n_tokens, shape.head_dim});
  return cache;
}

// Numbers of all the kinds that caches hold: smooth, with ties, constant in a unit, huge, tiny.
Cache random_cache(const CacheShape& shape, const QuantizerSpec& spec, DType dtype,
                   std::mt19937& random) {
  Cache cache = empty_cache(shape, spec);
  std::normal_distribution<float> normal;
  const std::int64_t n_rows = cache.numbers.size() / shape.head_dim;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    const auto kind = random() % 6;
    const float scale = kind == 4 ? 1e4f : kind == 5 ? 1e-6f : 1.0f, centre = normal(random);
    for (std::int64_t i = 0; i < shape.head_dim; ++i) {
      const float x = kind == 0   ? centre
                      : kind == 1 ? std::round(2 * normal(random))
                                  : scale * (centre + normal(random));
      cache.numbers.data()[row * shape.head_dim + i] = stored_as(x, dtype);
    }
  }
  cache.measure();
  return cache;
}

void give_bits(Cache& cache, bool vary, std::mt19937& random) {
  const auto own = static_cast<std::uint8_t>(random() % 17);
  cache.plan.n_bits_vary = vary;
  cache.plan.n_bits.assign(cache.stats.size(), own);
  for (std::uint8_t& n_bits : cache.plan.n_bits) {
    if (vary) n_bits = static_cast<std::uint8_t>(random() % 17);
  }
}

PackedCache pack(const Cache& cache, const PackedFormat& format) {
  Packer packer(cache.plan, cache.stats, format);
  for (std::int64_t l = 0; l < cache.numbers.shape(0); ++l) packer.add_layer(l, cache.layer(l));
  return packer.finish();
}

std::vector<std::uint32_t> patterns(std::span<const float> numbers) {
  std::vector<std::uint32_t> out;
  for (const float x : numbers) out.push_back(std::bit_cast<std::uint32_t>(x));
  return out;
}

// Bits of every number and every mask, quantized and unpacked.
void expect_round_trip(const Cache& cache, const PackedCache& packed) {
  const Shape<3> mask_shape{cache.numbers.shape(1), cache.numbers.shape(2),
                            (cache.numbers.shape(3) + 7) / 8};
  const Shape<3> shape{cache.numbers.shape(1), cache.numbers.shape(2), cache.numbers.shape(3)};
  const Unpacker unpacker(packed);
  EXPECT_EQ(unpacker.index().n_outliers(), cache.n_outliers());
  EXPECT_EQ(unpacker.index().n_bits(), cache.plan.n_bits);
  for (std::int64_t l = 0; l < cache.numbers.shape(0); ++l) {
    NdArray<float, 3> want(shape, NAN), got(shape, NAN);
    NdArray<std::uint8_t, 3> want_mask(mask_shape), got_mask(mask_shape, 0xff);
    if (cache.plan.keeps_all()) {
      std::ranges::copy(cache.layer(l).span(), want.data());
    } else {
      quantize_layer(cache.plan, cache.stats, l, cache.layer(l), {want.view(), want_mask.view()});
    }
    unpacker.layer(l, {got.view(), got_mask.view()});
    ASSERT_EQ(patterns(got.span()), patterns(want.span())) << "layer " << l;
    ASSERT_TRUE(std::ranges::equal(got_mask.span(), want_mask.span())) << "layer " << l;
    NdArray<float, 3> bare(shape, NAN);
    unpacker.layer(l, {bare.view(), {}});
    ASSERT_EQ(patterns(bare.span()), patterns(want.span()));
  }
}

// Section 6, written out once more.
PackedBytes by_formula(const Cache& cache, const PackedFormat& format) {
  PackedBytes out;
  const std::int64_t n = cache.plan.layout.unit_size();
  const std::int64_t n_units = cache.plan.layout.n_units();
  const std::int64_t place = n <= 256 ? 1 : n <= 65536 ? 2 : 4;
  for (std::size_t unit = 0; unit < cache.stats.size(); ++unit) {
    const int b = cache.plan.n_bits[unit];
    const std::int64_t n_out = n - cache.stats[unit].n_inliers;
    out.payload += static_cast<std::int64_t>(std::ceil(static_cast<double>(n * b) / 8));
    if (n_out < n) {
      out.scales += (b == 0 ? 1 : cache.plan.quantizer.symmetric ? 1 : 2) * format.scale_bytes;
    }
    out.outlier_values += n_out * (format.dtype == DType::f32 ? 4 : 2);
    const std::int64_t list = n_out * place, bitmap = n_out == 0 ? 0 : (n + 7) / 8;
    out.outlier_indices += format.outlier_index == OutlierIndex::list     ? list
                           : format.outlier_index == OutlierIndex::bitmap ? bitmap
                                                                          : std::min(list, bitmap);
  }
  const QuantizerSpec& spec = cache.plan.quantizer;
  const bool counted =
      spec.outlier_rule == OutlierRule::nsigma ? spec.max_outliers > 0 : spec.outliers_ratio > 0;
  if (counted) out.outlier_counts = 2 * n_units;
  if (cache.plan.n_bits_vary) {
    out.bit_map = n_units;
    out.offsets = 4 * n_units;
  }
  return out;
}

TEST(Packer, WhatIsUnpackedIsWhatQuantizingGives) {
  std::mt19937 random(20260101);
  const std::vector<double> ratios{0, 0.01, 0.05, 0.3, 0.75};
  int n_kept_whole = 0, n_bitmaps = 0, n_lists = 0, n_tied = 0;
  for (const std::int64_t head_dim : {1, 3, 64, 128, 130}) {
    for (int round = 0; round < 120; ++round) {
      const CacheShape shape{1 + round % 3, 1 + round / 3 % 3, 3, head_dim};
      QuantizerSpec spec;
      spec.level = std::array{Level::head, Level::layer, Level::token}[random() % 3];
      spec.method = random() % 4 == 0 ? Method::normal : Method::uniform;
      spec.range_rule =
          std::array{RangeRule::mean_centred, RangeRule::midpoint, RangeRule::minmax}[random() % 3];
      spec.store_scale = random() % 3 == 0 ? StoreScale::f16 : StoreScale::f32;
      spec.symmetric = random() % 2 == 0;
      spec.outliers_ratio = ratios[random() % ratios.size()];
      if (random() % 3 == 0) {
        spec.outlier_rule = OutlierRule::nsigma;
        spec.n_sigma = 0.5 + 0.1 * static_cast<double>(random() % 20);
        spec.max_outliers = ratios[random() % ratios.size()];
      }
      spec.outlier_index = static_cast<OutlierIndex>(random() % 3);
      const auto dtype = static_cast<DType>(random() % 3);
      Cache cache = random_cache(shape, spec, dtype, random);
      give_bits(cache, random() % 4 != 0, random);
      SCOPED_TRACE(cat("D ", head_dim, ", round ", round));

      const PackedFormat format = packed_format(spec, dtype);
      const PackedCache packed = pack(cache, format);
      EXPECT_EQ(packed.bytes(), by_formula(cache, format));
      EXPECT_EQ(packed.bytes(), packed_bytes(cache.plan, cache.stats, format));
      expect_round_trip(cache, packed);
      for (const UnitStats& s : cache.stats) {
        const UnitCounts unit{cache.plan.layout.unit_size(), 0,
                              cache.plan.layout.unit_size() - s.n_inliers};
        n_kept_whole += s.n_inliers == 0;
        n_tied += s.has_ties();
        (told_by_bitmap(format, unit) ? n_bitmaps : n_lists) += unit.n_outliers > 0;
      }
    }
  }
  // The rounds met what they are for.
  EXPECT_GT(n_kept_whole, 100);
  EXPECT_GT(n_tied, 20);
  EXPECT_GT(n_bitmaps, 500);
  EXPECT_GT(n_lists, 500);
}

TEST(Packer, EveryWidthComesBack) {
  std::mt19937 random(7);
  for (int n_bits = 0; n_bits <= 16; ++n_bits) {
    for (const Method method : {Method::uniform, Method::normal}) {
      Cache cache = random_cache({2, 2, 4, 33}, {.level = Level::layer, .method = method},
                                 DType::f32, random);
      cache.plan.n_bits.assign(cache.stats.size(), static_cast<std::uint8_t>(n_bits));
      const PackedCache packed = pack(cache, {.dtype = DType::f32});
      EXPECT_EQ(packed.bytes().payload, 8 * ((66 * n_bits + 7) / 8));
      EXPECT_EQ(packed.bytes().total(), packed.bytes().payload + 8 * (n_bits == 0 ? 1 : 2) * 4);
      expect_round_trip(cache, packed);
    }
  }
}

TEST(Packer, CodesLieLeastSignificantBitFirst) {
  // Codes 0, 1, 2, 3, 0, 1, 2, 3 of 2 bits, then a unit of 3 bits: codes 0 .. 7.
  Cache cache = empty_cache({1, 1, 2, 8}, {.range_rule = RangeRule::minmax});
  for (int i = 0; i < 8; ++i) cache.numbers(0, 0, 0, i) = static_cast<float>(i % 4);
  for (int i = 0; i < 8; ++i) cache.numbers(0, 0, 1, i) = static_cast<float>(i);
  cache.measure();
  cache.plan.n_bits = {2, 3};
  cache.plan.n_bits_vary = true;
  const PackedCache packed = pack(cache, {});
  EXPECT_EQ(packed.part(PackedPart::payload),
            (std::vector<std::uint8_t>{0xe4, 0xe4, 0x88, 0xc6, 0xfa}));
  EXPECT_EQ(packed.part(PackedPart::bit_map), (std::vector<std::uint8_t>{2, 3}));
  EXPECT_EQ(packed.part(PackedPart::offsets), (std::vector<std::uint8_t>{0, 0, 0, 0, 2, 0, 0, 0}));
  EXPECT_EQ(packed.part(PackedPart::scales),
            (std::vector<std::uint8_t>{0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0, 0, 0, 0x80, 0x3f}))
      << "base 0 and scale 1, twice";
}

constexpr PackedFormat kHalf{.dtype = DType::f16, .scale_bytes = 2};

TEST(Packer, TheHeadUnitOfTheExampleTakes49Bytes) {
  Cache cache = empty_cache({1, 1, 1, 128}, {.outliers_ratio = 0.01});
  for (int i = 0; i < 128; ++i) cache.numbers(0, 0, 0, i) = static_cast<float>(i);
  cache.measure();
  cache.plan.n_bits = {2};
  cache.plan.n_bits_vary = true;
  const PackedCache packed = pack(cache, kHalf);
  EXPECT_EQ(packed.bytes(), (PackedBytes{32, 4, 4, 2, 2, 1, 4}));
  EXPECT_EQ(packed.bytes().total(), 49);
  EXPECT_EQ(packed.part(PackedPart::outlier_indices), (std::vector<std::uint8_t>{0, 127}));
  EXPECT_EQ(packed.part(PackedPart::outlier_counts), (std::vector<std::uint8_t>{2, 0}));
  EXPECT_EQ(packed.part(PackedPart::outlier_values), (std::vector<std::uint8_t>{0, 0, 0xf0, 0x57}));
  EXPECT_NEAR(2 * 128 / 49.0, 5.22, 5e-3);
}

TEST(Packer, TheTokenUnitOfLlama2Takes40651Bytes) {
  // Distinct values are not to be had 131072 times in float16; distinct places are what counts.
  Cache cache = empty_cache({32, 32, 1, 128}, {.level = Level::token, .outliers_ratio = 0.01});
  const std::int64_t n = cache.numbers.size();
  ASSERT_EQ(n, 131072);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t k = i * 7919 % n;  // 0 .. n - 1 in another order
    const float x = k < 656 ? -2.0f : k >= n - 656 ? 2.0f : 0.5f;
    cache.numbers.data()[i] = x + static_cast<float>(k % 256) / 512;
  }
  cache.measure();
  cache.plan.n_bits = {2};
  cache.plan.n_bits_vary = true;
  ASSERT_EQ(cache.n_outliers(), 1312);
  const PackedCache packed = pack(cache, kHalf);
  EXPECT_EQ(packed.bytes(), (PackedBytes{32768, 4, 2624, 5248, 2, 1, 4}));
  EXPECT_EQ(packed.bytes().total(), 40651);
  EXPECT_NEAR(2 * 131072 / 40651.0, 6.45, 5e-3);
  expect_round_trip(cache, pack(cache, {.dtype = DType::f16}));
}

TEST(Packer, MoreOutliersThanACountTellsStandInABitmap) {
  std::mt19937 random(3);
  Cache cache = empty_cache(
      {2, 8, 2, 8192},
      {.level = Level::token, .outliers_ratio = 0.01, .outlier_index = OutlierIndex::list});
  for (std::int64_t l = 0; l < 2; ++l) {
    for (std::int64_t h = 0; h < 8; ++h) {
      for (std::int64_t i = 0; i < 8192; ++i) {
        cache.numbers(l, h, 0, i) = 1.5f;  // constant: no value is left to quantize
        cache.numbers(l, h, 1, i) = static_cast<float>(random() % 3);
      }
    }
  }
  cache.measure();
  ASSERT_EQ(cache.stats[0].n_inliers, 0);
  cache.plan.n_bits = {4, 4};
  const PackedFormat format = packed_format(cache.plan.quantizer, DType::f16);
  const PackedCache packed = pack(cache, format);
  EXPECT_EQ(packed.part(PackedPart::outlier_counts)[0], 0xff);
  EXPECT_EQ(packed.part(PackedPart::outlier_counts)[1], 0xff);
  EXPECT_EQ(packed.bytes(), packed_bytes(cache.plan, cache.stats, format));
  expect_round_trip(cache, packed);
}

TEST(Packer, AnExactCacheIsItsValues) {
  std::mt19937 random(5);
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const Cache cache =
        random_cache({2, 3, 5, 9}, {.level = Level::no_quantization}, dtype, random);
    const PackedCache packed = pack(cache, {.dtype = dtype});
    EXPECT_EQ(packed.bytes().total(), 2 * 3 * 5 * 9 * bytes_of(dtype));
    expect_round_trip(cache, packed);
  }
}

TEST(Packer, ExtremeNumbersComeBack) {
  const float max = std::numeric_limits<float>::max(), tiny = 1e-45f;
  for (const RangeRule rule : {RangeRule::mean_centred, RangeRule::midpoint, RangeRule::minmax}) {
    for (const Method method : {Method::uniform, Method::normal}) {
      for (const bool symmetric : {false, true}) {
        Cache cache = empty_cache({1, 1, 4, 4},
                                  {.method = method, .range_rule = rule, .symmetric = symmetric});
        const float rows[4][4]{{-max, max, 0, 1},
                               {-tiny, tiny, 0, -0.0f},
                               {-0.0f, -0.0f, -0.0f, -0.0f},
                               {-tiny, 0, 0, 0}};
        for (int t = 0; t < 4; ++t) std::ranges::copy(rows[t], &cache.numbers(0, 0, t, 0));
        cache.measure();
        cache.plan.n_bits_vary = true;
        for (const int n_bits : {0, 1, 2, 8, 16}) {
          SCOPED_TRACE(cat("rule ", static_cast<int>(rule), " bits ", n_bits));
          cache.plan.n_bits.assign(4, static_cast<std::uint8_t>(n_bits));
          expect_round_trip(cache, pack(cache, {.dtype = DType::f32}));
        }
      }
    }
  }
}

TEST(Packer, GivesTheSameBytesWhateverTheThreads) {
  std::mt19937 random(11);
  Cache cache = random_cache({3, 2, 300, 17}, {.level = Level::token, .outliers_ratio = 0.1},
                             DType::f16, random);
  give_bits(cache, true, random);
  set_thread_count(1);
  const PackedCache one = pack(cache, {});
  for (const int n_threads : {2, 5}) {
    set_thread_count(n_threads);
    EXPECT_EQ(pack(cache, {}).parts, one.parts);
  }
  set_thread_count(0);
}

TEST(Packer, RefusesWhatOffsetsDoNotReach) {
  // 2^29 values of 16 bits: told from the plan, before any buffer.
  Plan plan;
  plan.layout = UnitLayout(Level::token, {1, 1, 3, std::int64_t{1} << 30});
  plan.quantizer.level = Level::token;
  plan.n_bits = {16, 16, 16};
  plan.n_bits_vary = true;
  UnitStats stats;
  stats.n_inliers = 1 << 30;
  const std::vector<UnitStats> all(3, stats);
  try {
    Packer(plan, all, {});
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("--prefix"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace qaq
