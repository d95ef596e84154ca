// The mixed-bit cache from step to step: what it holds is what core's streamed cache holds, and
// what it says of its bytes adds up.

#include "gpu/codec/mixed_cache.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"
#include "core/replay/streamed_cache.h"
#include "core/tensor/nd_array.h"
#include "tests/gpu/cases/pages.h"
#include "tests/gpu/simt/simt.h"

namespace qaq::test {
namespace {

using cases::DeviceArray;
using cases::Numbers;

constexpr CacheShape kShape{.n_layers = 2, .n_kv_heads = 2, .n_tokens = 60, .head_dim = 24};

cuda::MixedCacheLimits some_limits() {
  cuda::MixedCacheLimits limits;
  limits.shape = kShape;
  limits.quantizer.outliers_ratio = 0.1;
  limits.n_bits_max = 6;
  return limits;
}

std::int64_t arena_bytes(const cuda::MixedCacheLimits& limits) {
  return cuda::plan_mixed_cache(limits).total();
}

// One cache on the device and its like in core, which follow the same plans.
class Followed {
 public:
  explicit Followed(const cuda::MixedCacheLimits& limits, DemoteFrom demote_from = DemoteFrom::gpu)
      : limits_(limits),
        from_cpu_(demote_from == DemoteFrom::cpu),
        arena_(arena_bytes(limits)),
        cache_(limits, arena_, stream_),
        rows_(make_rows(limits)),
        device_rows_(rows_, limits.dtype) {
    const CacheShape& s = limits.shape;
    auto from = rows_.begin();
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      exact_.emplace_back(Shape<3>{s.n_kv_heads, s.n_tokens, s.head_dim});
      const std::span<float> to = exact_.back().view().span();
      std::copy_n(from, to.size(), to.begin());
      from += static_cast<std::ptrdiff_t>(to.size());
    }
    for (const auto& layer : exact_) views_.push_back(layer.view());
    const UnitLayout layout(limits.quantizer.level, s);
    stats_.resize(static_cast<std::size_t>(layout.n_units()));
    fill_unit_stats(layout, limits.quantizer, 0, views_, stats_);
    device_stats_ = std::make_unique<DeviceArray<UnitStats>>(stats_);
    core_ = std::make_unique<StreamedCache>(views_, stats_, s,
                                            StreamingParams{.demote_from = demote_from});
  }

  const cuda::Arena& arena() const { return arena_; }
  const cuda::MixedCache& cache() const { return cache_; }
  DeviceCacheBytes bytes() const { return cache_.bytes(stream_); }
  const std::vector<std::uint8_t>& n_bits() const { return n_bits_; }
  const std::vector<UnitStats>& stats() const { return stats_; }
  std::int64_t unit(std::int64_t layer, std::int64_t head, std::int64_t token) const {
    return UnitLayout(limits_.quantizer.level, limits_.shape).unit(layer, head, token);
  }
  const std::vector<float>& rows() const { return rows_; }
  std::int64_t n_tokens() const { return n_tokens_; }

  // A plan of the first n tokens: a share of the units get other widths.
  void step(Numbers& numbers, std::int64_t n_tokens, double changing) {
    CacheShape shape = limits_.shape;
    shape.n_tokens = n_tokens;
    const UnitLayout layout(limits_.quantizer.level, shape);
    const auto next =
        cases::random_widths(numbers, layout.n_units(), limits_.n_bits_min, limits_.n_bits_max);
    for (std::size_t u = 0; u < next.size(); ++u) {
      if (u >= n_bits_.size()) {
        n_bits_.push_back(next[u]);
      } else if (numbers.uniform() < changing) {
        n_bits_[u] = next[u];
      }
    }
    core_->follow(
        {.quantizer = limits_.quantizer, .layout = layout, .n_bits = n_bits_, .n_bits_vary = true});
    const DeviceArray<std::uint8_t> bits(n_bits_);
    const auto n = static_cast<std::int32_t>(n_tokens);
    const DeviceArray<cuda::CacheLengths> lengths(std::vector<cuda::CacheLengths>{{n, n}});
    cuda::MixedCache::Plan plan{bits.data(), device_stats_->data(), lengths.data()};
    plan.exact = {device_rows_.data(), limits_.shape.n_tokens, nullptr};
    plan.fresh = {static_cast<const std::byte*>(device_rows_.data()) +
                      n_tokens_ * limits_.shape.head_dim * bytes_of(limits_.dtype),
                  limits_.shape.n_tokens, nullptr};
    plan.demote_from_exact = from_cpu_;
    // Every other time layer by layer.
    const auto n_heads = static_cast<std::int32_t>(limits_.shape.n_kv_heads);
    if (n_tokens % 2 != 0) plan.n_lists = n_heads;
    do {
      cache_.follow(plan, stream_);
      plan.first_list += n_heads;
    } while (n_tokens % 2 != 0 && plan.first_list < limits_.shape.n_layers * n_heads);
    stream_.wait();
    n_tokens_ = n_tokens;
  }

  // Numbers of the tokens so far that core holds otherwise.
  int n_different() const {
    const CacheShape& s = limits_.shape;
    const std::int64_t layer_size = s.n_kv_heads * s.n_tokens * s.head_dim;
    const DeviceArray<float> out = cases::unwritten(s.n_layers * layer_size);
    int n = 0;
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      cache_.unpack(layer, {out.data() + layer * layer_size, DType::f32, s.n_tokens}, stream_);
    }
    stream_.wait();
    const std::vector<float> got = out.host();
    auto at = got.begin();
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
        for (std::int64_t token = 0; token < s.n_tokens; ++token) {
          for (const float want : core_->layer(layer).sub(head, token).span()) {
            const float value = *at++;
            n += token < n_tokens_ ? !cases::same_bytes(value, want) : !std::isnan(value);
          }
        }
      }
    }
    return n;
  }

  // Of everything that the device holds.
  std::uint64_t digest() const {
    const cuda::PagedCache& c = cache_.pages();
    const std::int64_t places = c.place(c.n_lists, 0);
    using cases::DevicePages;
    std::uint64_t digest = cases::digest_of(DevicePages::host(c.states, c.n_lists));
    digest = cases::digest_of(DevicePages::host(c.pages, places), digest);
    digest = cases::digest_of(DevicePages::host(c.tokens, places * cuda::kPageTokens), digest);
    digest = cases::digest_of(DevicePages::host(c.grids, places * cuda::kPageTokens), digest);
    return cases::digest_of(DevicePages::host(c.payload, places * c.place_words), digest);
  }

 private:
  static std::vector<float> make_rows(const cuda::MixedCacheLimits& limits) {
    const CacheShape& s = limits.shape;
    cases::PagesShape shape{.n_layers = s.n_layers, .n_kv_heads = s.n_kv_heads};
    shape.head_dim = s.head_dim;
    shape.max_tokens = s.n_tokens;
    shape.dtype = limits.dtype;
    return cases::cache_rows(shape, 61);
  }

  cuda::MixedCacheLimits limits_;
  bool from_cpu_ = false;
  cuda::Stream stream_;
  cuda::Arena arena_;
  cuda::MixedCache cache_;
  std::vector<float> rows_;
  cases::DeviceRows device_rows_;
  std::vector<NdArray<float, 3>> exact_;
  std::vector<CacheLayer> views_;
  std::vector<UnitStats> stats_;
  std::unique_ptr<DeviceArray<UnitStats>> device_stats_;
  std::unique_ptr<StreamedCache> core_;
  std::vector<std::uint8_t> n_bits_;
  std::int64_t n_tokens_ = 0;
};

// Core works on one thread: its pool is not built for the thread sanitizer, which here watches the
// kernels.
class MixedCache : public testing::Test {
 protected:
  MixedCache() { set_thread_count(1); }
  ~MixedCache() override { set_thread_count(0); }
};

// A prompt, then token after token.
void expect_same_as_core(const cuda::MixedCacheLimits& limits, DemoteFrom demote_from) {
  Followed cache(limits, demote_from);
  Numbers numbers(67);
  for (std::int64_t n = 48; n <= limits.shape.n_tokens; ++n) {
    cache.step(numbers, n, 0.15);
    ASSERT_EQ(cache.n_different(), 0) << n << " tokens";
  }
}

TEST_F(MixedCache, HoldsWhatCoreHoldsAfterEveryPlan) {
  cuda::MixedCacheLimits limits = some_limits();
  expect_same_as_core(limits, DemoteFrom::gpu);
  limits.side = cuda::Side::value;
  limits.quantizer.level = Level::layer;
  limits.quantizer.range_rule = RangeRule::midpoint;
  limits.quantizer.symmetric = true;
  limits.quantizer.store_scale = StoreScale::f16;
  expect_same_as_core(limits, DemoteFrom::gpu);
  limits.dtype = DType::f32;
  limits.n_bits_max = 16;
  limits.quantizer.level = Level::token;
  limits.quantizer.range_rule = RangeRule::minmax;
  expect_same_as_core(limits, DemoteFrom::cpu);
}

TEST_F(MixedCache, IsTheSameBytesWhicheverThreadGoesFirst) {
  std::vector<std::uint64_t> digests;
  for (const simt::Schedule schedule :
       {simt::Schedule::kForward, simt::Schedule::kReverse, simt::Schedule::kRandom}) {
    simt::set_schedule(schedule, 7);
    Followed cache(some_limits());
    Numbers numbers(71);
    for (const std::int64_t n : {30, 31, 45, 60}) cache.step(numbers, n, 0.5);
    digests.push_back(cache.digest());
  }
  simt::set_schedule(simt::Schedule::kForward);
  EXPECT_EQ(digests[1], digests[0]);
  EXPECT_EQ(digests[2], digests[0]);
}

TEST_F(MixedCache, TakesWhatItSaysAndItsBytesAddUp) {
  const cuda::MixedCacheLimits limits = some_limits();
  Followed cache(limits);
  EXPECT_EQ(cache.arena().bytes_left(), 0);
  const DeviceCacheBytes empty = cache.bytes();
  EXPECT_EQ(empty.codes + empty.scales + empty.outliers, 0);
  EXPECT_EQ(empty.total(), arena_bytes(limits));

  Numbers numbers(73);
  for (const std::int64_t n : {40, 41, 60}) {
    cache.step(numbers, n, 0.5);
    const DeviceCacheBytes bytes = cache.bytes();
    std::int64_t codes = 0, pages = 0, outliers = 0;
    for (std::int64_t list = 0; list < 4; ++list) {
      std::vector<std::int64_t> of_width(7);
      for (std::int64_t t = 0; t < n; ++t) {
        const auto u = static_cast<std::size_t>(cache.unit(list / 2, list % 2, t));
        ++of_width[cache.n_bits()[u]];
        const float* row = cache.rows().data() + (list * kShape.n_tokens + t) * kShape.head_dim;
        for (int c = 0; c < kShape.head_dim; ++c) outliers += cache.stats()[u].is_outlier(row[c]);
      }
      for (std::int64_t bits = 0; bits <= 6; ++bits) {
        const std::int64_t n_pages = (of_width[static_cast<std::size_t>(bits)] + 15) / 16;
        pages += n_pages;
        // 24 channels are two chunks: sixteen codes a lane, a word a plane up to 2 bits, two of 4.
        const std::int64_t words = bits / 4 * 2 + bits % 4 / 2 + bits % 2;
        codes += n_pages * 32 * 4 * words;
      }
    }
    EXPECT_EQ(bytes.codes, codes);
    EXPECT_EQ(bytes.scales, pages * 16 * 8);
    EXPECT_EQ(bytes.outliers, outliers * 4);
    EXPECT_EQ(bytes.maps, empty.maps);
    EXPECT_EQ(bytes.workspace, empty.workspace);
    EXPECT_EQ(bytes.total(), empty.total());
    EXPECT_GT(bytes.unused, 0);
  }
}

TEST_F(MixedCache, SavesWhatItsWidthsSave) {
  // LLaMA-2-7B, keys: 0.27 GB in float16 at 1024 tokens, 1.07 GB at 4096.
  cuda::MixedCacheLimits limits;
  limits.shape = {.n_layers = 32, .n_kv_heads = 32, .n_tokens = 4096, .head_dim = 128};
  limits.n_bits_min = 1;
  limits.n_bits_max = 4;
  const MemoryPlan plan = cuda::plan_mixed_cache(limits);
  const double half_bytes = 2.0 * 32 * 32 * 4096 * 128;
  EXPECT_EQ(plan.items[0].name, "codes");
  EXPECT_LT(static_cast<double>(plan.items[0].bytes), half_bytes / 4 * 1.013);
  EXPECT_LT(static_cast<double>(plan.total()), half_bytes * 0.45);
}

std::string refused_as(const cuda::MixedCacheLimits& limits) {
  try {
    cuda::plan_mixed_cache(limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "taken";
}

TEST_F(MixedCache, RefusesByNameWhatPagesCannotHold) {
  cuda::MixedCacheLimits limits = some_limits();
  EXPECT_EQ(refused_as(limits), "taken");
  limits.quantizer.method = Method::normal;
  EXPECT_EQ(
      refused_as(limits),
      "method: normal has no pages on the GPU: its codes are no steps; set method=uniform, or "
      "run with --device cpu");
  limits = some_limits();
  limits.quantizer.outlier_rule = OutlierRule::nsigma;
  EXPECT_EQ(refused_as(limits),
            "outlier_rule: nsigma has no kernel on the GPU; set outlier_rule=quantile, or run with "
            "--device cpu");
  limits = some_limits();
  limits.quantizer.level = Level::no_quantization;
  EXPECT_TRUE(refused_as(limits).starts_with("level: no-quantization"));
  limits = some_limits();
  limits.shape.head_dim = 257;
  EXPECT_TRUE(refused_as(limits).starts_with("head_dim: 257 channels"));
  limits = some_limits();
  limits.n_bits_max = 17;
  EXPECT_TRUE(refused_as(limits).starts_with("n_bits_max: "));
  limits = some_limits();
  limits.shape.n_tokens = 1 << 20;
  EXPECT_TRUE(refused_as(limits).starts_with("max_tokens: 1048576 tokens"));
}

TEST_F(MixedCache, SaysWhenAPlanDoesNotFit) {
  cuda::MixedCacheLimits limits = some_limits();
  limits.outliers_per_row = 0;
  Followed cache(limits);
  Numbers numbers(79);
  cache.step(numbers, 60, 0);
  EXPECT_THROW(cache.bytes(), Error);
}

}  // namespace
}  // namespace qaq::test
