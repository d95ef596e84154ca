// The model's layers and their places among captured ones.
#include "core/replay/captured_layers.h"

#include <gtest/gtest.h>
#include <vector>

namespace qaq::test {
namespace {

TEST(CapturedLayers, ALayersPlaceIsItsIndexInTheArrays) {
  const std::vector<std::int32_t> captured{0, 1, 14, 29};
  EXPECT_EQ(captured_index(captured, 0), 0);
  EXPECT_EQ(captured_index(captured, 14), 2);
  EXPECT_EQ(captured_index(captured, 2), std::nullopt);
  EXPECT_EQ(captured_index(captured, -1), std::nullopt);
  EXPECT_EQ(captured_index({}, 0), std::nullopt);
}

TEST(CapturedLayers, AListDrawsRangesTogether) {
  EXPECT_EQ(layer_list({}), "");
  EXPECT_EQ(layer_list(std::vector<std::int32_t>{7}), "7");
  EXPECT_EQ(layer_list(std::vector<std::int32_t>{0, 1, 14, 29}), "0-1, 14, 29");
  EXPECT_EQ(layer_list(std::vector<std::int32_t>{0, 1, 2, 3, 5, 6}), "0-3, 5-6");
}

}  // namespace
}  // namespace qaq::test
