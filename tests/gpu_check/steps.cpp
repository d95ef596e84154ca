#include "tests/gpu_check/steps.h"

#include <utility>

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

namespace qaq::gpu_check {
namespace {

Step kernel_step(const std::string& name, std::vector<cases::CaseRow> (*check)(bool),
                 std::function<void(Context&)> time) {
  const auto run = [name, check](Context& context) {
    check_twice(context, name, [&] { return check(context.options.small()); });
  };
  return {name, run, std::move(time)};
}

std::function<void(Context&)> both(void (*first)(Context&), void (*second)(Context&)) {
  return [first, second](Context& context) {
    first(context);
    second(context);
  };
}

}  // namespace

std::vector<Step> all_steps() {
  return {
      kernel_step("embed", cases::check_embed, nullptr),
      kernel_step("norm", cases::check_norm, both(time_norm, time_half_norm)),
      kernel_step("activate", cases::check_activate, both(time_activate, time_half_activate)),
      kernel_step("linear", cases::check_linear, time_linear),
      kernel_step("rotate_append", cases::check_rotate_append,
                  both(time_rotate_append, time_half_rotate)),
      kernel_step("attention", cases::check_attention, time_attention),
      kernel_step("attention_stats", cases::check_attention_stats, nullptr),
      kernel_step("half_linear", cases::check_half_linear, time_half_linear),
      {"cublas", check_cublas, time_cublas},
      kernel_step("half_attention", cases::check_half_attention, time_half_attention),
      kernel_step("dequantize_weights", cases::check_dequantize_weights, time_dequantize_weights),
      kernel_step("unit_stats", cases::check_unit_stats, time_unit_stats),
      kernel_step("importance", cases::check_importance, time_importance),
      kernel_step("plan_bits", cases::check_plan_bits, time_plan_bits),
      kernel_step("logits_top", cases::check_logits_top, time_logits_top),
      kernel_step("graph", cases::check_graph, nullptr),
      kernel_step("assign_slots", cases::check_assign_slots, nullptr),
      kernel_step("write_pages", cases::check_write_pages, time_write_pages),
      kernel_step("key_scores", cases::check_key_scores, nullptr),
      kernel_step("value_mix", cases::check_value_mix, time_mixed_attention),
      kernel_step("quantize_rows", cases::check_quantize_rows, nullptr),
      kernel_step("replay_error", cases::check_replay_error, both(time_replay, time_sweep)),
      {"models", check_models, nullptr},
      {"half_models", check_half_models, nullptr},
      {"graphs", check_graphs, nullptr},
      {"greedy", check_greedy, nullptr},
      {"slice", check_slice, nullptr},
      {"whole_model", check_whole_model, nullptr},
      {"decoder", check_decoder, time_qaq_7b},
      {"large", check_large, nullptr},
      {"7b", nullptr, time_7b},
      {"13b", nullptr, time_13b}};
}

void check_twice(Context& context, const std::string& group, const Cases& run,
                 const std::string& section) {
  const std::vector<cases::CaseRow> first = run(), second = run();
  if (first.empty() || first.size() != second.size()) {
    context.report.fail(section, group, "the number of cases changes, or there are none");
    return;
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    const cases::CaseRow& a = first[i];
    const cases::CaseRow& b = second[i];
    Row row{.section = section,
            .group = group,
            .name = a.name,
            .shape = a.shape,
            .compared = Compared{std::max(a.worst, b.worst), a.bound, a.digest},
            .timed = {},
            .verdict = Verdict::ok,
            .note = ""};
    if (a.digest != b.digest) {
      row.verdict = Verdict::failed;
      row.note = "two runs differ";
    }
    if (!a.ok() || !b.ok()) {
      row.verdict = Verdict::failed;
      row.note = "out of its bound";
    }
    context.report.rows.push_back(std::move(row));
  }
}

}  // namespace qaq::gpu_check
