#include "core/analysis/violations.h"

#include <limits>

#include "core/analysis/jump_rows.h"
#include "core/base/parallel.h"

namespace qaq {

double jump_ratio(const Violation& violation) {
  return violation.window_max > 0 ? double{violation.score} / double{violation.window_max}
                                  : std::numeric_limits<double>::infinity();
}

void find_violations(NdView<const float, 2> scores, std::int64_t first_position, std::int32_t layer,
                     std::int32_t head, const ViolationParams& params, ViolationReport& report) {
  const std::int64_t n = params.violation_window > 0 ? params.violation_window : report.window;
  for_each_jump_row(scores, first_position, n, [&](const JumpRow& row) {
    const JumpTest is_jump(params, row.step);
    for (std::size_t t = 0; t < row.scores.size(); ++t) {
      if (is_jump(row.scores[t], row.window_max[t])) {
        report.violations.push_back({layer, head, static_cast<std::int32_t>(row.step),
                                     static_cast<std::int32_t>(t), row.scores[t],
                                     row.window_max[t]});
      }
    }
    report.n_eligible += static_cast<std::int64_t>(row.scores.size());
    ++report.n_rows;
  });
}

ViolationReport find_violations(const CaptureView& capture, const ViolationParams& params,
                                int default_window, const Work& work) {
  const CaptureInfo& info = capture.info();
  const std::int64_t n_layers = info.n_captured_layers(), n_heads = info.shape.n_heads;
  ViolationReport report;
  report.window = params.violation_window > 0 ? params.violation_window : default_window;
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({"violations", layer, n_layers, "layers"});
    std::vector<ViolationReport> heads(static_cast<std::size_t>(n_heads));
    for (ViolationReport& found : heads) found.window = report.window;
    const auto find = [&](const NdView<const float, 3>& scores, std::int64_t position) {
      parallel_for(n_heads, [&](std::int64_t head) {
        find_violations(scores.sub(head), position, static_cast<std::int32_t>(layer),
                        static_cast<std::int32_t>(head), params,
                        heads[static_cast<std::size_t>(head)]);
      });
    };
    for_each_score_block(capture, layer, report.window, find, work);
    for (const ViolationReport& found : heads) {
      report.violations.insert(report.violations.end(), found.violations.begin(),
                               found.violations.end());
      report.n_eligible += found.n_eligible;
      report.n_rows += found.n_rows;
    }
  }
  work.report({"violations", n_layers, n_layers, "layers"});
  return report;
}

}  // namespace qaq
