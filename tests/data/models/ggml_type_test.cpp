#include "data/models/ggml_type.h"

#include <gtest/gtest.h>

#include "tests/support/test_data.h"

namespace qaq {
namespace {

TEST(GgmlType, AgreesWithTheReferenceTable) {
  const auto types = test::test_data_json("weight_blocks/weight_blocks.json").at("ggml_types");
  ASSERT_GE(types.size(), 34u);
  for (const auto& reference : types) {
    const GgmlType* type = find_ggml_type(reference.at("number"));
    ASSERT_NE(type, nullptr) << reference;
    EXPECT_EQ(type->name, reference.at("name").get<std::string>());
    EXPECT_EQ(type->block_elements, reference.at("block_elements").get<std::int64_t>());
    // The package still counts float scales in Q8_1; ggml has halves since 2024. No file holds it.
    if (type->name == "Q8_1") continue;
    EXPECT_EQ(type->block_bytes, reference.at("block_bytes").get<std::int64_t>()) << type->name;
  }
}

TEST(GgmlType, WhatCanBeDecodedHasTheSameBlocks) {
  int n_decoded = 0;
  for (std::uint32_t number = 0; number < 64; ++number) {
    const GgmlType* type = find_ggml_type(number);
    if (!type || !type->weight_type) continue;
    const WeightTypeInfo& info = weight_type_info(*type->weight_type);
    EXPECT_EQ(info.block_elements, type->block_elements) << type->name;
    EXPECT_EQ(info.block_bytes, type->block_bytes) << type->name;
    ++n_decoded;
  }
  EXPECT_EQ(n_decoded, 14);
}

TEST(GgmlType, RemovedAndUnknownNumbersAreNone) {
  for (const std::uint32_t number : {4u, 5u, 31u, 36u, 1000u, ~0u}) {
    EXPECT_EQ(find_ggml_type(number), nullptr) << number;
  }
}

}  // namespace
}  // namespace qaq
