#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/gpu/cases/check.h"
#include "tests/gpu_check/options.h"
#include "tests/gpu_check/report.h"

namespace qaq::gpu_check {

struct Context {
  const Options& options;
  Report& report;
};

/// What --only can name. Either function may be null; both add rows to the report and may throw.
struct Step {
  std::string name;
  std::function<void(Context&)> check;
  std::function<void(Context&)> time;
};

std::vector<Step> all_steps();

/// Whether the tensor cores take and give numbers where kernels think they do.
void check_tensor_cores(Context& context);
/// Rates that the others are held against: the device's copy, the link either way.
void measure_trust(Context& context);

void check_models(Context& context);
void check_half_models(Context& context);
void check_graphs(Context& context);
void check_greedy(Context& context);
void check_decoder(Context& context);
void check_cublas(Context& context);
void check_slice(Context& context);
void check_whole_model(Context& context);
void check_large(Context& context);

void time_linear(Context& context);
void time_norm(Context& context);
void time_activate(Context& context);
void time_rotate_append(Context& context);
void time_attention(Context& context);

void time_half_linear(Context& context);
void time_cublas(Context& context);
void time_half_attention(Context& context);
void time_dequantize_weights(Context& context);
void time_logits_top(Context& context);
void time_half_norm(Context& context);
void time_half_activate(Context& context);
void time_half_rotate(Context& context);

void time_unit_stats(Context& context);
void time_importance(Context& context);
void time_plan_bits(Context& context);
void time_write_pages(Context& context);
void time_mixed_attention(Context& context);

void time_replay(Context& context);
void time_sweep(Context& context);

/// Models of LLaMA-2's shapes: prompts, captures, decode; decoding on a quantized cache.
void time_7b(Context& context);
void time_13b(Context& context);
void time_qaq_7b(Context& context);

using Cases = std::function<std::vector<cases::CaseRow>()>;

/// Runs cases twice: both times within their bounds, and of the same bytes.
void check_twice(Context& context, const std::string& group, const Cases& run,
                 const std::string& section = "correct");

}  // namespace qaq::gpu_check
