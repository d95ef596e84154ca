// One cache on the device, plan by plan, with plans made by hand.
#include "core/replay/streamed_cache.h"

#include <gtest/gtest.h>
#include <vector>

#include "core/quant/packed_bytes.h"

namespace qaq::test {
namespace {

using Bits = std::vector<std::uint8_t>;

// A cache whose token t has the values t, t + 1, .. of every layer and head.
class Device {
 public:
  Device(const CacheShape& shape, const QuantizerSpec& spec, const StreamingParams& params = {})
      : shape_(shape), spec_(spec) {
    for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
      exact_.emplace_back(Shape<3>{shape.n_kv_heads, shape.n_tokens, shape.head_dim});
      for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
        for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
          for (std::int64_t d = 0; d < shape.head_dim; ++d) {
            exact_.back()(head, token, d) = static_cast<float>(token + d);
          }
        }
      }
    }
    for (const auto& layer : exact_) views_.push_back(layer.view());
    const UnitLayout layout(spec.level, shape);
    stats_.resize(static_cast<std::size_t>(layout.n_units()));
    fill_unit_stats(layout, spec, 0, views_, stats_);
    cache_.emplace_back(views_, stats_, shape, params);
  }

  Plan plan(const Bits& n_bits) const {
    const auto per_token = UnitLayout(spec_.level, shape_).units_per_token();
    CacheShape shape = shape_;
    shape.n_tokens = static_cast<std::int64_t>(n_bits.size()) / per_token;
    return {.quantizer = spec_,
            .layout = UnitLayout(spec_.level, shape),
            .n_bits = n_bits,
            .n_bits_vary = true};
  }
  CacheChanges follow(const Bits& n_bits) { return cache().follow(plan(n_bits)); }
  std::vector<float> values(std::int64_t token) {
    const auto row = cache().layer(0).sub(0, token).span();
    return {row.begin(), row.end()};
  }
  StreamedCache& cache() { return cache_.front(); }
  const std::vector<UnitStats>& stats() const { return stats_; }

 private:
  CacheShape shape_;
  QuantizerSpec spec_;
  std::vector<NdArray<float, 3>> exact_;
  std::vector<CacheLayer> views_;
  std::vector<UnitStats> stats_;
  std::vector<StreamedCache> cache_;  // one; made when its inputs are there
};

constexpr CacheShape kThree{.n_layers = 1, .n_kv_heads = 1, .n_tokens = 3, .head_dim = 8};

// The range of what was quantized is narrower, and what lies at its ends is clipped again; steps
// that reach both ends stay.
TEST(StreamedCache, ARequantizedHistoryLiesOnARangeOfItsOwn) {
  const StreamingParams params{.requantize_history = true};
  Device device(kThree, {}, params);
  device.follow({2});
  EXPECT_EQ(device.values(0), (std::vector<float>{0, 1.75, 1.75, 3.5, 3.5, 5.25, 5.25, 5.25}));
  const CacheChanges changes = device.follow({2, 2});
  EXPECT_EQ(changes.requantized_values, 16);
  EXPECT_EQ(changes.fetched, 0);
  // Mean 3.28125, step 5.25 / 4: -2.5, -1.17, 0.17 and 1.5 steps away.
  EXPECT_EQ(device.values(0), (std::vector<float>{0.65625, 1.96875, 1.96875, 3.28125, 3.28125,
                                                  4.59375, 4.59375, 4.59375}));
  Device whole(kThree, {.range_rule = RangeRule::minmax}, params);
  whole.follow({3});
  const std::vector<float> once = whole.values(0);
  EXPECT_EQ(once, (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7}));
  whole.follow({3, 3});
  EXPECT_EQ(whole.values(0), once);
  whole.follow({2, 3, 3});
  EXPECT_EQ(whole.values(0).back(), 7);
}

TEST(StreamedCache, CountsWhatAPlanChanges) {
  Device device(kThree, {});
  CacheChanges changes = device.follow({4});
  EXPECT_EQ(changes.demotions, 1);  // quantized for the first time, from what is there
  EXPECT_EQ(changes.promotions, 0);
  EXPECT_EQ(changes.fetched, 0);
  EXPECT_EQ(changes.requantized_values, 8);
  changes = device.follow({2, 4});
  EXPECT_EQ(changes.demotions, 2);
  EXPECT_EQ(changes.fetched, 0);
  EXPECT_EQ(changes.requantized_values, 16);
  changes = device.follow({4, 4, 3});
  EXPECT_EQ(changes.demotions, 1);
  EXPECT_EQ(changes.promotions, 1);
  EXPECT_EQ(changes.fetched, 1);
  EXPECT_EQ(changes.h2d.count, 1);
  EXPECT_EQ(changes.h2d.bytes, 8 * 2);
  changes = device.follow({4, 4, 3});
  EXPECT_EQ(changes.requantized_values, 0);
  EXPECT_EQ(device.cache().held().n_bits, (Bits{4, 4, 3}));
}

TEST(StreamedCache, DemotesWhatItHolds) {
  // Values 0..7: mean 3.5, range 7. In 2 bits 1 became 1.75, which is half a step of 1 bit below
  // the mean and goes there; 1 itself would go to 0.
  Device gpu(kThree, {});
  gpu.follow({2});
  EXPECT_EQ(gpu.values(0), (std::vector<float>{0, 1.75, 1.75, 3.5, 3.5, 5.25, 5.25, 5.25}));
  EXPECT_EQ(gpu.values(1), (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
  CacheChanges changes = gpu.follow({1});
  EXPECT_EQ(changes.h2d.bytes, 0);
  EXPECT_EQ(gpu.values(0), (std::vector<float>{0, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5}));

  Device cpu(kThree, {}, {.demote_from = DemoteFrom::cpu});
  EXPECT_EQ(cpu.follow({2}).fetched, 0);
  changes = cpu.follow({1});
  EXPECT_EQ(changes.demotions, 1);
  EXPECT_EQ(changes.promotions, 0);
  EXPECT_EQ(changes.fetched, 1);
  EXPECT_EQ(changes.h2d.bytes, 8 * 2);
  EXPECT_EQ(cpu.values(0), (std::vector<float>{0, 0, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5}));
}

TEST(StreamedCache, PromotesFromTheHost) {
  Device device(kThree, {});
  device.follow({1});
  device.follow({2});
  EXPECT_EQ(device.values(0), (std::vector<float>{0, 1.75, 1.75, 3.5, 3.5, 5.25, 5.25, 5.25}));
}

TEST(StreamedCache, KeepsOutliersThroughDemotions) {
  // 8 values, ratio 0.25: 0 and 7 are outliers; the rest have the mean 3.5 and the range 5. In 1
  // bit they lie at 1 and 3.5, in 0 bits at 3.5 - 2.5.
  Device device(kThree, {.outliers_ratio = 0.25});
  device.follow({1});
  EXPECT_EQ(device.values(0), (std::vector<float>{0, 1, 1, 3.5, 3.5, 3.5, 3.5, 7}));
  device.follow({0});
  EXPECT_EQ(device.values(0), (std::vector<float>{0, 1, 1, 1, 1, 1, 1, 7}));
}

TEST(StreamedCache, HysteresisWaitsForMoreBits) {
  Device device(kThree, {}, {.promote_hysteresis = 1});
  device.follow({3});
  EXPECT_EQ(device.follow({4}).promotions, 0);
  EXPECT_EQ(device.cache().held().n_bits, Bits{3});
  EXPECT_EQ(device.follow({5}).promotions, 1);
  EXPECT_EQ(device.cache().held().n_bits, Bits{5});
}

TEST(StreamedCache, PatienceCountsSuccessivePlans) {
  Device device(kThree, {}, {.demote_patience = 2});
  EXPECT_EQ(device.follow({5}).demotions, 1);  // the first time it does not wait
  EXPECT_EQ(device.follow({3}).demotions, 0);
  EXPECT_EQ(device.follow({5}).demotions, 0);  // begins again
  EXPECT_EQ(device.follow({3}).demotions, 0);
  EXPECT_EQ(device.cache().held().n_bits, Bits{5});
  EXPECT_EQ(device.follow({4}).demotions, 1);
  EXPECT_EQ(device.cache().held().n_bits, Bits{4});
  EXPECT_EQ(device.follow({3}).demotions, 0);
}

TEST(StreamedCache, RefetchesEqualsOnRequest) {
  Device device(kThree, {}, {.refetch_equal = true});
  device.follow({2});
  device.follow({1});
  const CacheChanges changes = device.follow({1, 4});
  EXPECT_EQ(changes.promotions, 0);
  EXPECT_EQ(changes.demotions, 1);
  EXPECT_EQ(changes.fetched, 1);
  EXPECT_EQ(changes.requantized_values, 16);
  // What demotion on the device lost is back.
  EXPECT_EQ(device.values(0), (std::vector<float>{0, 0, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5}));
}

TEST(StreamedCache, TransfersAreUnitsOrLayers) {
  const CacheShape shape{.n_layers = 2, .n_kv_heads = 2, .n_tokens = 2, .head_dim = 4};
  const auto fetched = [&](Level level, FetchGranularity granularity, const Bits& before,
                           const Bits& after) {
    Device device(shape, {.level = level}, {.fetch_granularity = granularity});
    device.follow(before);
    return device.follow(after).h2d;
  };
  const Bits low(8, 2);
  // Token 0: both heads of layer 0; token 1: head 1 of layer 0 and head 0 of layer 1.
  const Bits high{3, 3, 2, 2, 2, 3, 3, 2};
  const Transfers units = fetched(Level::head, FetchGranularity::unit, low, high);
  EXPECT_EQ(units.count, 4);
  EXPECT_EQ(units.bytes, 4 * 4 * 2);
  const Transfers layers = fetched(Level::head, FetchGranularity::layer, low, high);
  EXPECT_EQ(layers.count, 2);
  EXPECT_EQ(layers.bytes, units.bytes);
  // Units of a layer, (token, layer): both of layer 1.
  const Transfers by_layer =
      fetched(Level::layer, FetchGranularity::layer, {2, 2, 2, 2}, {2, 3, 2, 3});
  EXPECT_EQ(by_layer.count, 1);
  EXPECT_EQ(by_layer.bytes, 2 * 8 * 2);
  // Units that span the layers go in one transfer.
  const Transfers tokens = fetched(Level::token, FetchGranularity::layer, {2, 2}, {3, 3});
  EXPECT_EQ(tokens.count, 1);
  EXPECT_EQ(tokens.bytes, 2 * 16 * 2);
}

TEST(StreamedCache, TimesFollowTheLinkModel) {
  StreamingParams link;  // 10 us a transfer, 25e9 B/s
  const Transfers transfers{.count = 3, .bytes = 500000};
  EXPECT_DOUBLE_EQ(transfer_seconds(link, transfers), 50e-6);
  EXPECT_DOUBLE_EQ(stall_seconds(link, 50e-6), 50e-6);
  link.overlap = 0.5;
  EXPECT_DOUBLE_EQ(stall_seconds(link, 50e-6), 50e-6);  // nothing to hide behind
  link.t_compute = 10e-6;
  EXPECT_DOUBLE_EQ(stall_seconds(link, 50e-6), 40e-6);
  link.t_compute = 1;
  EXPECT_DOUBLE_EQ(stall_seconds(link, 50e-6), 25e-6);
  link.pcie_latency_us = 0;
  link.pcie_bandwidth = 1e6;
  EXPECT_DOUBLE_EQ(transfer_seconds(link, transfers), 0.5);
}

TEST(StreamedCache, ResidentBytesArePackedAndHalfPrecision) {
  Device device(kThree, {.outliers_ratio = 0.25});
  EXPECT_EQ(device.cache().resident_bytes(3), 3 * 8 * 2);
  device.follow({3, 1});
  // A unit: codes, scale and base, 2 outliers of 2 bytes and their places of 1, their count, the
  // bits and the offset. The third token is whole.
  EXPECT_EQ(device.cache().resident_bytes(3), (3 + 1) + 2 * (8 + 2 * 2 + 1 + 2 + 1 + 4) + 8 * 2);
}

}  // namespace
}  // namespace qaq::test
