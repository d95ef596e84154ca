#include "core/engine/kv_cache.h"

#include <gtest/gtest.h>
#include <vector>

namespace qaq {
namespace {

// Neither the tokens nor the channels fill whole panels of 32.
constexpr ModelShape kShape{.n_layers = 3, .n_heads = 8, .n_kv_heads = 2, .head_dim = 24};
constexpr std::int64_t kTokens = 70, kTokensInPanels = 96, kChannelsInPanels = 32;

// Every number says where it belongs, and is not zero.
float number(std::int64_t layer, std::int64_t head, std::int64_t token, std::int64_t channel) {
  return static_cast<float>(1 + ((layer * 2 + head) * kTokens + token) * 24 + channel);
}

KvCache full_cache() {
  KvCache cache(kShape, kTokens);
  for (std::int64_t layer = 0; layer < 3; ++layer) {
    for (std::int64_t head = 0; head < 2; ++head) {
      for (std::int64_t token = 0; token < kTokens; ++token) {
        std::vector<float> key, value;
        for (std::int64_t i = 0; i < 24; ++i) {
          key.push_back(number(layer, head, token, i));
          value.push_back(-number(layer, head, token, i));
        }
        cache.append(layer, head, token, key.data(), value.data());
      }
    }
  }
  return cache;
}

TEST(KvCache, KeysLieInPanelsOf32TokensPaddedWithZeros) {
  const KvCache cache = full_cache();
  for (std::int64_t layer = 0; layer < 3; ++layer) {
    for (std::int64_t head = 0; head < 2; ++head) {
      for (std::int64_t token = 0; token < kTokensInPanels; ++token) {
        const float* panel = cache.key_panel(layer, head, token / 32);
        for (std::int64_t i = 0; i < 24; ++i) {
          ASSERT_EQ(panel[i * 32 + token % 32],
                    token < kTokens ? number(layer, head, token, i) : 0.0f)
              << "layer " << layer << ", head " << head << ", token " << token << ", " << i;
        }
      }
    }
  }
}

TEST(KvCache, ValuesLieInRowsPaddedWithZeros) {
  const KvCache cache = full_cache();
  ASSERT_EQ(cache.value_stride(), kChannelsInPanels);
  for (std::int64_t layer = 0; layer < 3; ++layer) {
    for (std::int64_t head = 0; head < 2; ++head) {
      for (std::int64_t token = 0; token < kTokensInPanels; ++token) {
        const float* row = cache.values(layer, head, token);
        for (std::int64_t i = 0; i < kChannelsInPanels; ++i) {
          ASSERT_EQ(row[i], token < kTokens && i < 24 ? -number(layer, head, token, i) : 0.0f)
              << "layer " << layer << ", head " << head << ", token " << token << ", " << i;
        }
      }
    }
  }
}

TEST(KvCache, WhatWasNotAppendedIsZero) {
  KvCache cache(kShape, kTokens);
  const std::vector<float> ones(24, 1.0f);
  cache.append(1, 1, 33, ones.data(), ones.data());
  std::int64_t n_ones = 0;
  for (std::int64_t panel = 0; panel < 3; ++panel) {
    for (std::int64_t i = 0; i < 24 * 32; ++i) n_ones += cache.key_panel(1, 1, panel)[i] != 0.0f;
  }
  EXPECT_EQ(n_ones, 24);
  EXPECT_EQ(cache.values(1, 1, 32)[0], 0.0f);
  EXPECT_EQ(cache.values(1, 1, 34)[0], 0.0f);
}

TEST(KvCache, BytesAreKnownBeforehand) {
  for (const std::int64_t head_dim : {16, 24, 32, 80, 128}) {
    for (const std::int64_t n_tokens : {0, 1, 31, 32, 33, 1000}) {
      ModelShape shape = kShape;
      shape.head_dim = head_dim;
      EXPECT_EQ(KvCache(shape, n_tokens).bytes(), KvCache::bytes_for(shape, n_tokens))
          << head_dim << " channels, " << n_tokens << " tokens";
    }
  }
  // 3 layers, 2 heads, 96 tokens, 24 + 32 numbers of 4 bytes.
  EXPECT_EQ(KvCache::bytes_for(kShape, kTokens), 3 * 2 * 96 * (24 + 32) * 4);
}

}  // namespace
}  // namespace qaq
