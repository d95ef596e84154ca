#include "core/analysis/capture_diagnosis.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/analysis/cell_scores.h"
#include "core/analysis/setting_caches.h"
#include "core/base/error.h"
#include "core/replay/capture_rows.h"

namespace qaq {

void require_output_errors(const ReplayResult& result, const CaptureInfo& info) {
  if (!result.output_error.empty()) return;
  refuse_input({.file = info.name,
                .what = "lacks queries or attention, which errors of outputs follow from",
                .cure = "capture again with --attention derive and without --no-queries"});
}

NdArray<double, 2> mean_over_rows(const NdArray<float, 3>& errors, std::int64_t first_row) {
  NdArray<double, 2> out({errors.shape(0), errors.shape(1)});
  for (std::int64_t layer = 0; layer < errors.shape(0); ++layer) {
    for (std::int64_t head = 0; head < errors.shape(1); ++head) {
      double& mean = out(layer, head);
      for (std::int64_t row = first_row; row < errors.shape(2); ++row) {
        mean += errors(layer, head, row);
      }
      mean /= static_cast<double>(errors.shape(2) - first_row);
    }
  }
  return out;
}

CaptureDiagnosis diagnose_capture(const CaptureView& capture, const ReplayOptions& options,
                                  const Work& work) {
  const CaptureInfo& info = capture.info();
  const SharedReplay result = replay(capture, options, work);
  require_output_errors(*result, info);
  CaptureDiagnosis out;
  out.prefix = result->prefix;
  out.in_sample = result->in_sample;
  const auto& errors = result->output_error;
  const std::int64_t n_layers = errors.shape(0), n_heads = errors.shape(1);
  const std::int64_t first = first_replayed_row(info, out.prefix), n_rows = info.n_query_rows();
  const NdArray<double, 2> of_scores = mean_over_rows(result->attention_error, first);
  const NdArray<double, 2> of_outputs = mean_over_rows(errors, first);
  std::vector<double> by_row(static_cast<std::size_t>(n_rows));
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    for (std::int64_t head = 0; head < n_heads; ++head) {
      out.heads.push_back({info.layers[static_cast<std::size_t>(layer)], head,
                           of_scores(layer, head), of_outputs(layer, head)});
      for (std::int64_t row = first; row < n_rows; ++row) {
        by_row[static_cast<std::size_t>(row)] += errors(layer, head, row);
      }
    }
  }
  std::ranges::stable_sort(out.heads, std::greater(), &DiagnosedHead::output_error);
  const auto worst = std::ranges::max_element(by_row);
  out.position = info.query_token[static_cast<std::size_t>(worst - by_row.begin())];

  SettingQuantizer quantizer(capture, out.prefix);
  const SettingCache setting = quantizer.quantize({.params = options.params}, work);
  const CellScores scores = cell_scores(capture, setting.source, out.prefix, out.position);
  std::vector<std::int64_t> order(static_cast<std::size_t>(scores.size()));
  std::iota(order.begin(), order.end(), 0);
  const std::size_t n = std::min(kMaxRankedCells, order.size());
  const auto score_of = [&](std::int64_t i) { return scores.span()[static_cast<std::size_t>(i)]; };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::int64_t>(n), order.end(),
                    [&](std::int64_t a, std::int64_t b) {
                      return score_of(a) != score_of(b) ? score_of(a) > score_of(b) : a < b;
                    });
  for (std::size_t i = 0; i < n; ++i) {
    out.cells.push_back(
        diagnosed_cell(setting, info, cell_at(scores, order[i]), score_of(order[i])));
  }
  return out;
}

nlohmann::ordered_json capture_diagnosis_json(const CaptureDiagnosis& diagnosis) {
  nlohmann::ordered_json heads = nlohmann::ordered_json::array(), cells = heads;
  for (const DiagnosedHead& head : diagnosis.heads) {
    heads.push_back({{"layer", head.layer},
                     {"head", head.head},
                     {"attention_error", head.attention_error},
                     {"output_error", head.output_error}});
  }
  for (const DiagnosedCell& cell : diagnosis.cells) cells.push_back(diagnosed_cell_json(cell));
  return {{"prefix", diagnosis.prefix},
          {"in_sample", diagnosis.in_sample},
          {"position", diagnosis.position},
          {"heads", std::move(heads)},
          {"cells", std::move(cells)}};
}

}  // namespace qaq
