// What became of a cell, whatever the policy.
#include "core/analysis/cell_fate.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/analysis/maps.h"
#include "core/analysis/memory_report.h"
#include "core/policy/composed_policy.h"
#include "core/policy/policies.h"
#include "core/replay/replay.h"
#include "tests/support/every_other.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr SyntheticShape kShape{
    .n_layers = 2, .n_heads = 2, .n_kv_heads = 2, .n_tokens = 20, .head_dim = 32};
constexpr std::int64_t kPrefix = 15;

SharedReplay replayed(const std::shared_ptr<const CachePolicy>& policy) {
  return replay(synthetic_capture(kShape, 3), {{}, kPrefix, policy});
}

CellFate fate(const SharedReplay& result, std::int64_t token) {
  return cell_fate(synthetic_capture(kShape, 3).info(), *result,
                   {.side = CacheSide::value, .layer = 1, .kv_head = 1, .token = token});
}

TEST(CellFate, TellsEvictedFromExactFromCoded) {
  using Kind = CellFate::Kind;
  const SharedReplay evicted = replayed(every_other(2));
  // Head 1 of layer 1 keeps odd tokens.
  EXPECT_EQ(fate(evicted, 2).kind, Kind::evicted);
  EXPECT_EQ(fate(evicted, 3).kind, Kind::exact);
  EXPECT_EQ(fate(evicted, kPrefix).kind, Kind::behind);
  EXPECT_FALSE(fate(evicted, 2).rms_error);
  EXPECT_NEAR(fate(evicted, 2).kept_share, 0.5, 0.05);
  const auto json = fate_json(fate(evicted, 2));
  EXPECT_EQ(json["fate"], "evicted");
  EXPECT_TRUE(json["bits"].is_null());
  EXPECT_TRUE(json["rms_error"].is_null());

  const SharedReplay blocks = replayed(make_policy("q4_0", {}));
  const CellFate coded = fate(blocks, 3);
  EXPECT_EQ(coded.kind, Kind::coded);
  EXPECT_EQ(coded.n_bits, 4);
  EXPECT_FLOAT_EQ(static_cast<float>(*coded.rms_error * *coded.rms_error),
                  blocks->value.error(1, 1, 3));
  EXPECT_EQ(coded.packed_bytes, blocks->value.packed.total());
}

TEST(ExactFrom, IsAboveEveryWidthThatQaqMayChoose) {
  EXPECT_EQ(exact_from(*replayed(nullptr), CacheSide::key), 17);
  EXPECT_EQ(exact_from(*replayed(make_policy("q4_0", {})), CacheSide::key), 16);
  ReplayOptions whole{.params = {}, .prefix = kPrefix};
  whole.params.key.level = Level::no_quantization;
  whole.params.dtype_bits = 32;
  const auto result = replay(synthetic_capture(kShape, 3), whole);
  EXPECT_EQ(exact_from(*result, CacheSide::key), 32);
  EXPECT_EQ(exact_from(*result, CacheSide::value), 17);
}

TEST(MapsOfEviction, ShareWhatIsEvicted) {
  const SharedReplay result = replayed(every_other(3));
  const MemoryCapture capture = synthetic_capture(kShape, 3);
  const Heatmap bits = bit_map(*result, capture.info(), CacheSide::key);
  const double share =
      1 - static_cast<double>(result->key.n_kept) / static_cast<double>(result->key.n_values);
  EXPECT_DOUBLE_EQ(evicted_share(bits), share);
  EXPECT_EQ(evicted_share(bit_map(*replayed(nullptr), capture.info(), CacheSide::key)), 0);
  const Heatmap magnitude = magnitude_map(capture, CacheSide::key, 1, 1, &result->key);
  for (std::int64_t token = 0; token < kShape.n_tokens; ++token) {
    const bool is_gone = token < kPrefix && !EveryOther::keeps(3, 1, 1, token);
    EXPECT_EQ(Heatmap::is_evicted(magnitude.at(5, token)), is_gone) << token;
  }
}

TEST(MemoryReport, CountsTheBytesOfEveryPolicy) {
  const std::vector<std::shared_ptr<const CachePolicy>> settings{
      make_policy("q4_0", {}), make_policy("full", {}), every_other(2),
      std::make_shared<ComposedPolicy>(make_policy("qaq", {}), every_other(2))};
  for (const auto& policy : settings) {
    const SharedReplay result = replayed(policy);
    const MemoryReport report = memory_report(*result);
    EXPECT_EQ(report.key.total(Accounting::packed), static_cast<double>(result->key.packed.total()))
        << result->policy;
    EXPECT_NEAR(report.both.total(Accounting::nominal),
                (result->key.size_per_token_bits + result->value.size_per_token_bits) * kPrefix / 8,
                1e-6)
        << result->policy;
    for (int part = 0; part < kMemoryParts; ++part) {
      EXPECT_GE(report.key.nominal[static_cast<std::size_t>(part)], 0) << result->policy;
    }
  }
}

}  // namespace
}  // namespace qaq::test
