#include <exception>
#include <functional>
#include <gtest/gtest.h>
#include <ostream>
#include <string>
#include <vector>

#include "tests/gpu/cases/activate.h"
#include "tests/gpu/cases/assign_slots.h"
#include "tests/gpu/cases/attention.h"
#include "tests/gpu/cases/attention_stats.h"
#include "tests/gpu/cases/dequantize_weights.h"
#include "tests/gpu/cases/embed.h"
#include "tests/gpu/cases/graph.h"
#include "tests/gpu/cases/half_attention.h"
#include "tests/gpu/cases/half_linear.h"
#include "tests/gpu/cases/importance.h"
#include "tests/gpu/cases/key_scores.h"
#include "tests/gpu/cases/linear.h"
#include "tests/gpu/cases/logits_top.h"
#include "tests/gpu/cases/norm.h"
#include "tests/gpu/cases/plan_bits.h"
#include "tests/gpu/cases/quantize_rows.h"
#include "tests/gpu/cases/replay_error.h"
#include "tests/gpu/cases/rotate_append.h"
#include "tests/gpu/cases/unit_stats.h"
#include "tests/gpu/cases/value_mix.h"
#include "tests/gpu/cases/write_pages.h"
#include "tests/gpu/simt/simt.h"

namespace qaq::cases {
namespace {

struct Check {
  const char* name;
  std::function<std::vector<CaseRow>(bool)> run;
};

void PrintTo(const Check& check, std::ostream* out) { *out << check.name; }

class Kernel : public testing::TestWithParam<Check> {
 protected:
  ~Kernel() override { simt::set_schedule(simt::Schedule::kForward); }

  // Empty where a launch failed.
  static std::vector<CaseRow> run(simt::Schedule schedule) {
    simt::set_schedule(schedule, 20240304);
    try {
      return GetParam().run(true);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << ": " << simt::last_report();
      return {};
    }
  }
};

TEST_P(Kernel, IsRightUnderEverySchedule) {
  const std::vector<CaseRow> forward = run(simt::Schedule::kForward);
  ASSERT_FALSE(forward.empty());
  for (const CaseRow& row : forward) {
    EXPECT_TRUE(row.ok()) << row.name << " (" << row.shape << "): " << row.worst << " > "
                          << row.bound;
  }
  for (const simt::Schedule schedule : {simt::Schedule::kReverse, simt::Schedule::kRandom}) {
    const std::vector<CaseRow> rows = run(schedule);
    ASSERT_EQ(rows.size(), forward.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].digest, forward[i].digest)
          << rows[i].name << " (" << rows[i].shape << ") depends on which thread goes first";
      EXPECT_TRUE(rows[i].ok()) << rows[i].name << " (" << rows[i].shape << "): " << rows[i].worst
                                << " > " << rows[i].bound;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cuda, Kernel,
    testing::Values(
        Check{"embed", check_embed}, Check{"norm", check_norm}, Check{"activate", check_activate},
        Check{"linear", check_linear}, Check{"rotate_append", check_rotate_append},
        Check{"attention", check_attention}, Check{"attention_stats", check_attention_stats},
        Check{"half_linear", check_half_linear}, Check{"half_attention", check_half_attention},
        Check{"dequantize_weights", check_dequantize_weights},
        Check{"unit_stats", check_unit_stats}, Check{"importance", check_importance},
        Check{"plan_bits", check_plan_bits}, Check{"logits_top", check_logits_top},
        Check{"graph", check_graph}, Check{"assign_slots", check_assign_slots},
        Check{"write_pages", check_write_pages}, Check{"key_scores", check_key_scores},
        Check{"value_mix", check_value_mix}, Check{"quantize_rows", check_quantize_rows},
        Check{"replay_error", check_replay_error}),
    [](const auto& check) { return std::string(check.param.name); });

}  // namespace
}  // namespace qaq::cases
