// By how much one plan falls short of another.
#include "core/analysis/bits_deficit.h"

#include <gtest/gtest.h>

#include "core/replay/replayer.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

Plan plan_of(std::vector<std::uint8_t> n_bits) {
  Plan plan;
  plan.layout = UnitLayout(Level::head, {1, 2, static_cast<std::int64_t>(n_bits.size() / 2), 8});
  plan.n_bits = std::move(n_bits);
  return plan;
}

// Two KV heads, three tokens, of which the last is not looked at.
TEST(PlanDeficit, IsAsByHand) {
  const Plan wanted = plan_of({4, 3, 2, 8, 8, 8});
  Plan given = plan_of({4, 1, 5, 7, 0, 0});
  const auto found = bits_deficit(wanted, given, 2);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->n_units, 4);
  EXPECT_EQ(found->n_short, 2);
  EXPECT_EQ(found->n_bits, 3);
  EXPECT_EQ(found->share_short(), 0.5);
  EXPECT_EQ(found->mean_bits(), 0.75);
  NdArray<std::uint8_t, 3> kept({1, 2, 3}, std::uint8_t{1});
  kept(0, 1, 0) = 0;  // the unit that lacked 2
  given.kept = std::make_shared<const NdArray<std::uint8_t, 3>>(std::move(kept));
  EXPECT_EQ(bits_deficit(wanted, given, 2)->n_bits, 1);
  EXPECT_EQ(bits_deficit(wanted, given, 0)->mean_bits(), 0);
  EXPECT_FALSE(bits_deficit(wanted, plan_of({1, 2}), 1)) << "other units";
}

// Fewer heads may only lower importance, so no unit has bits to spare.
TEST(PlanDeficit, OfFewerHeadsIsAllThatChanges) {
  const MemoryCapture capture = synthetic_capture({.n_heads = 9, .n_kv_heads = 3}, 7);
  QaqParams all;
  all.value.target_quantization_error = 0.1;
  QaqParams some = all;
  some.head_stride = 3;
  Replayer replayer(capture);
  const Plan wanted = replayer.plans({all, 20}).value.plan,
             given = replayer.plans({some, 20}).value.plan;
  std::int64_t difference = 0;
  for (std::size_t unit = 0; unit < 16 * 6; ++unit) {
    difference += wanted.n_bits[unit] - given.n_bits[unit];
  }
  const auto found = bits_deficit(wanted, given, 16);
  ASSERT_TRUE(found);
  EXPECT_GT(found->n_bits, 0);
  EXPECT_EQ(found->n_bits, difference);
}

}  // namespace
}  // namespace qaq::test
