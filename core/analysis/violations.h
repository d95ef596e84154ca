#pragma once

#include <cstdint>
#include <vector>

#include "core/base/parameters.h"
#include "core/base/progress.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// When importance counts as having jumped (arXiv 2403.04643 section 3.2, made precise).
struct ViolationParams {
  int violation_window = 0;
  double violation_ratio = 4;
  double violation_floor = 4;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "violation_window",
                    .help =
                        "Rows n that a jump is measured against; 0: the value's last_n_attentions",
                    .unit = "rows",
                    .min = 0,
                    .max = 1e6,
                    .slider_min = 0,
                    .slider_max = 64},
      self.violation_window);
    v(ParameterInfo{.name = "violation_ratio",
                    .help = "A score is a violation above this many times the window's maximum",
                    .min = 1,
                    .max = 1e9,
                    .log_scale = true,
                    .slider_min = 1,
                    .slider_max = 1000},
      self.violation_ratio);
    v(ParameterInfo{.name = "violation_floor",
                    .help = "... and above this many times a fair share 1/(s+1)",
                    .min = 0,
                    .max = 1e9,
                    .slider_min = 0,
                    .slider_max = 32},
      self.violation_floor);
  }
};

/// Token `token` at step `step` (a position) of layer index `layer`, query head `head`.
struct Violation {
  std::int32_t layer = 0;
  std::int32_t head = 0;
  std::int32_t step = 0;
  std::int32_t token = 0;
  float score = 0;       ///< S_step[token]
  float window_max = 0;  ///< max of S_{step-n .. step-1}[token]
};

/// score / window maximum; infinite where the maximum is 0.
double jump_ratio(const Violation& violation);

/// Whether scores of row `step` are violations: what find_violations() asks of each.
class JumpTest {
 public:
  JumpTest(const ViolationParams& params, std::int64_t step)
      : ratio_(params.violation_ratio),
        floor_(params.violation_floor / static_cast<double>(step + 1)) {}

  bool operator()(float score, float window_max) const {
    return double{score} > ratio_ * double{window_max} && is_above_floor(score);
  }
  bool is_above_floor(float score) const { return double{score} > floor_; }

 private:
  double ratio_, floor_;
};

struct ViolationReport {
  std::int64_t window = 0;            ///< n that was used
  std::vector<Violation> violations;  ///< ordered by layer, head, step, token
  std::int64_t n_eligible = 0;        ///< pairs (step, token) looked at, all heads
  std::int64_t n_rows = 0;            ///< query rows looked at, all heads
  double rate() const {
    return n_eligible == 0
               ? 0.0
               : static_cast<double>(violations.size()) / static_cast<double>(n_eligible);
  }
};

/// Violations of one query head. `scores` is (n_rows, T); row i is position first_position + i,
/// rows are consecutive. In row s, token t < s - n + 1 violates when S_s[t] > r *
/// max(S_{s-n..s-1}[t]) and S_s[t] > f / (s + 1). Rows with fewer than n stored rows before them
/// are not eligible. n is params.violation_window, or report.window where that is 0. Adds to
/// `report`; `layer` and `head` are written into what is found.
void find_violations(NdView<const float, 2> scores, std::int64_t first_position, std::int32_t layer,
                     std::int32_t head, const ViolationParams& params, ViolationReport& report);

/// Violations of every captured layer and query head. `default_window` is used where
/// params.violation_window is 0.
ViolationReport find_violations(const CaptureView& capture, const ViolationParams& params,
                                int default_window, const Work& work = {});

}  // namespace qaq
