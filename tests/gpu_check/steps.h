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

/// Rates that the others are held against: the device's copy, the link either way.
void measure_trust(Context& context);

void check_models(Context& context);
void check_greedy(Context& context);
void check_large(Context& context);

void time_linear(Context& context);
void time_norm(Context& context);
void time_activate(Context& context);
void time_rotate_append(Context& context);
void time_attention(Context& context);

using Cases = std::function<std::vector<cases::CaseRow>()>;

/// Runs cases twice: both times within their bounds, and of the same bytes.
void check_twice(Context& context, const std::string& group, const Cases& run);

}  // namespace qaq::gpu_check
