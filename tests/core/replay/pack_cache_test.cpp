// A capture's packed caches hold what its replay measures.
#include "core/replay/pack_cache.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "core/quant/unpacker.h"
#include "core/replay/replayer.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

TEST(PackCache, UnpacksToTheReplayAndTakesWhatItReports) {
  const MemoryCapture capture =
      synthetic_capture({.n_layers = 3, .n_heads = 4, .n_kv_heads = 2, .n_tokens = 40});
  Replayer replayer(capture);
  for (const Level level : {Level::no_quantization, Level::token, Level::layer, Level::head}) {
    for (const std::int64_t prefix : {0, 1, 25}) {
      ReplayOptions options;
      options.prefix = prefix;
      options.params.key.level = level;
      options.params.value.outliers_ratio = 0.2;
      options.params.outlier_index = prefix == 1 ? OutlierIndex::list : OutlierIndex::automatic;
      const SharedReplay result = replayer.bits(options);
      const PlannedCaches plans = replayer.plans(options);
      for (const PlannedCache* cache : {&plans.key, &plans.value}) {
        const PackedCache packed = pack_cache(capture, *cache, {});
        const CacheReplay& own = cache->side == CacheSide::key ? result->key : result->value;
        EXPECT_EQ(packed.bytes(), own.packed);
        const Unpacker unpacker(packed);
        EXPECT_EQ(unpacker.index().n_outliers(), own.n_outliers);
        for (std::int64_t layer = 0; layer < 3; ++layer) {
          NdArray<float, 3> values({2, result->prefix, 8});
          unpacker.layer(layer, {values.view(), {}});
          const SharedArray<float, 3> quantized = quantized_layer(capture, *cache, layer);
          for (std::int64_t head = 0; head < 2; ++head) {
            const auto want = quantized->sub(head).span();
            const auto got = values.sub(head).span();
            EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin()));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace qaq::test
