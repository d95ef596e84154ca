// What is stored together or transposed, taken apart: numbers that say where they were.
#include "data/models/stored_part.h"

#include <cstring>
#include <gtest/gtest.h>
#include <numeric>

namespace qaq {
namespace {

// 2 heads of 2 channels, hidden 4.
constexpr ModelShape kShape{.n_layers = 1,
                            .n_heads = 2,
                            .n_kv_heads = 2,
                            .head_dim = 2,
                            .hidden_size = 4,
                            .intermediate_size = 3,
                            .vocab_size = 5};

// 0, 1, 2 ... row-major, as the tensor of `role` is stored.
std::vector<float> taken(const StoredOrder& order, WeightRole role) {
  const auto [rows, cols] = order.stored_shape(role, kShape);
  std::vector<float> numbers(static_cast<std::size_t>(rows * cols));
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  const WeightView stored{"stored", WeightType::f32, rows, cols, std::as_bytes(std::span(numbers))};
  const auto bytes = order.take(role, stored, kShape);
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

using Numbers = std::vector<float>;
using Rows = std::pair<std::int64_t, std::int64_t>;

TEST(StoredOrder, ApartNothingMoves) {
  const StoredOrder order;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    EXPECT_FALSE(order.moves(role));
    EXPECT_EQ(order.stored_shape(role, kShape), weight_shape(role, kShape));
  }
}

TEST(StoredOrder, HeadsHoldTheirQueryKeyAndValue) {
  const StoredOrder order{.query_key_value = FusedOrder::heads};
  EXPECT_EQ(order.stored_shape(WeightRole::key, kShape), Rows(12, 4));
  EXPECT_EQ(order.stored_shape(WeightRole::key_bias, kShape), Rows(1, 12));
  EXPECT_EQ(taken(order, WeightRole::query_bias), (Numbers{0, 1, 6, 7}));
  EXPECT_EQ(taken(order, WeightRole::key_bias), (Numbers{2, 3, 8, 9}));
  EXPECT_EQ(taken(order, WeightRole::value_bias), (Numbers{4, 5, 10, 11}));
  EXPECT_EQ(taken(order, WeightRole::key),
            (Numbers{8, 9, 10, 11, 12, 13, 14, 15, 32, 33, 34, 35, 36, 37, 38, 39}));
  EXPECT_FALSE(order.moves(WeightRole::attention_output));
  EXPECT_FALSE(order.moves(WeightRole::up));
}

TEST(StoredOrder, BlocksOfTransposedMatrices) {
  const StoredOrder order{.query_key_value = FusedOrder::blocks, .transposed = true};
  EXPECT_EQ(order.stored_shape(WeightRole::value, kShape), Rows(4, 12));
  EXPECT_EQ(order.stored_shape(WeightRole::value_bias, kShape), Rows(1, 12));
  EXPECT_EQ(order.stored_shape(WeightRole::up, kShape), Rows(4, 3));
  EXPECT_EQ(order.stored_shape(WeightRole::embedding, kShape), Rows(5, 4));
  EXPECT_EQ(taken(order, WeightRole::key_bias), (Numbers{4, 5, 6, 7}));
  EXPECT_EQ(taken(order, WeightRole::value),
            (Numbers{8, 20, 32, 44, 9, 21, 33, 45, 10, 22, 34, 46, 11, 23, 35, 47}));
  EXPECT_EQ(taken(order, WeightRole::up), (Numbers{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
  EXPECT_FALSE(order.moves(WeightRole::embedding));
  EXPECT_FALSE(order.moves(WeightRole::position_embedding));
  EXPECT_FALSE(order.moves(WeightRole::up_bias));
}

}  // namespace
}  // namespace qaq
