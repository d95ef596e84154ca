// What KIVI's cache has quantized, against its own after prompts and decode steps.
#include "core/quant/kivi_residual.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

TEST(KiviResidual, CountsAfterPromptsAndStepsAsItsCacheHasThem) {
  int n = 0;
  const auto tables = test::test_data_json("rivals/codecs.json");
  for (const auto& run : tables.at("kivi_residual")) {
    const std::int64_t prompt = run.at("prompt"), residual = run.at("residual_length");
    const auto& keys = run.at("n_key_quantized");
    const auto& values = run.at("n_value_quantized");
    for (std::size_t step = 0; step < keys.size(); ++step, ++n) {
      const std::int64_t n_tokens = prompt + static_cast<std::int64_t>(step);
      EXPECT_EQ(kivi_quantized_keys(n_tokens, residual), keys[step]) << n_tokens;
      EXPECT_EQ(kivi_quantized_values(n_tokens, residual), values[step]) << n_tokens;
    }
  }
  EXPECT_GT(n, 90);
}

ErrorText refused(std::int64_t group_size, std::int64_t residual_length, std::int64_t head_dim) {
  try {
    require_kivi_groups(group_size, residual_length, head_dim);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_FALSE(error.text().cure.empty());
    return error.text();
  }
  return {};
}

TEST(KiviResidual, GroupsThatDoNotFillAreRefused) {
  EXPECT_EQ(refused(128, 128, 128).place, "");
  EXPECT_EQ(refused(128, 256, 64).place, "");
  EXPECT_EQ(refused(32, 96, 64).place, "");
  EXPECT_EQ(refused(32, 100, 64).place, "residual_length");
  EXPECT_EQ(refused(32, 100, 64).cure, "give a multiple of group_size, such as 96");
  EXPECT_EQ(refused(32, 0, 64).place, "residual_length");
  EXPECT_EQ(refused(48, 96, 64).place, "group_size");
  EXPECT_EQ(refused(0, 96, 64).place, "group_size");
}

}  // namespace
}  // namespace qaq
