#include "views/models/analysis.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace qaq::views {
namespace {

bool hasAttention(const CaptureView& capture) {
  return capture.info().profile != AttentionProfile::none;
}

bool sameViolations(const Analysis& previous, const AnalysisRequest& request) {
  return previous.capture == request.capture && previous.violations != nullptr &&
         same_parameters(previous.params.violation, request.params.violation) &&
         previous.params.qaq.value.last_n_attentions == request.params.qaq.value.last_n_attentions;
}

std::vector<SliceMaps::Cell> cellsOf(const Heatmap& mask) {
  std::vector<SliceMaps::Cell> cells;
  for (std::int32_t row = 0; row < mask.rows(); ++row) {
    for (std::int32_t column = 0; column < mask.columns(); ++column) {
      if (mask.at(row, column) == 1.0f) cells.push_back({row, column});
    }
  }
  return cells;
}

bool showsHead(const Slice& slice, const CaptureInfo& info, std::int32_t head) {
  if (slice.queryHead != Slice::kGroup) return head == slice.queryHead;
  return head / info.shape.group_size() == slice.kvHead;
}

}  // namespace

std::int64_t Analysis::forcedNewest(CacheSide which) const {
  const QaqSideParams& side = which == CacheSide::key ? params.qaq.key : params.qaq.value;
  if (!side.use_attentions || side.level == Level::no_quantization) return 0;
  return std::min<std::int64_t>(side.last_n_attentions - 1, replay->prefix);
}

Analyser::Analyser(SharedCapture capture)
    : m_capture(std::move(capture)), m_replayer(*m_capture) {}

SharedAnalysis analyse(const AnalysisRequest& request, const SharedAnalysis& previous,
                       const Work& work) {
  return Analyser(request.capture).analyse(request, previous, work);
}

SharedAnalysis Analyser::analyse(const AnalysisRequest& request, const SharedAnalysis& previous,
                                 const Work& work) {
  assert(request.capture == m_capture);
  auto out = std::make_shared<Analysis>();
  out->capture = request.capture;
  out->params = request.params;
  const CaptureView& capture = *request.capture;
  out->replay = m_replayer.bits({.params = request.params.qaq, .prefix = request.prefix}, work);
  if (previous && sameViolations(*previous, request)) {
    out->violations = previous->violations;
  } else if (hasAttention(capture)) {
    out->violations = std::make_shared<const ViolationReport>(find_violations(
        capture, request.params.violation, request.params.qaq.value.last_n_attentions, work));
  }
  for (const CacheSide which : {CacheSide::key, CacheSide::value}) {
    Analysis::Side& side = which == CacheSide::key ? out->key : out->value;
    side.bits = std::make_shared<const Heatmap>(bit_map(*out->replay, capture.info(), which));
    side.histogram = bit_histogram(*out->replay, which);
  }
  work.throw_if_stopped();
  return out;
}

SharedSlice loadSlice(const SharedAnalysis& analysis, const Slice& slice,
                      const SharedSlice& previous) {
  auto out = std::make_shared<SliceMaps>();
  out->slice = slice;
  out->analysis = analysis;
  const CaptureView& capture = *analysis->capture;
  const CaptureInfo& info = capture.info();
  const bool same_capture = previous && previous->analysis->capture == analysis->capture;
  if (same_capture && previous->slice == slice) {
    out->magnitude = previous->magnitude;
    out->attention = previous->attention;
  } else {
    out->magnitude = std::make_shared<const Heatmap>(
        magnitude_map(capture, slice.side, slice.layer, slice.kvHead));
    const bool group = slice.queryHead == Slice::kGroup;
    if (hasAttention(capture)) {
      out->attention = std::make_shared<const Heatmap>(
          attention_map(capture, slice.layer, group ? slice.kvHead : slice.queryHead, group));
    }
  }
  out->outliers =
      cellsOf(outlier_mask(*analysis->replay, info, slice.side, slice.layer, slice.kvHead));
  if (analysis->violations) {
    for (const Violation& violation : analysis->violations->violations) {
      if (violation.layer == slice.layer && showsHead(slice, info, violation.head)) {
        out->violations.push_back(violation);
      }
    }
  }
  std::stable_sort(out->violations.begin(), out->violations.end(),
                   [](const Violation& a, const Violation& b) { return a.score > b.score; });
  return out;
}

Slice defaultSlice(const Analysis& analysis) {
  const CaptureInfo& info = analysis.capture->info();
  const auto n_layers = static_cast<int>(info.n_captured_layers());
  const auto n_kv_heads = static_cast<int>(info.shape.n_kv_heads);
  Slice slice{.layer = n_layers / 2, .kvHead = n_kv_heads / 2};
  if (!analysis.violations || analysis.violations->violations.empty()) return slice;
  std::vector<int> count(static_cast<std::size_t>(n_layers * n_kv_heads));
  for (const Violation& violation : analysis.violations->violations) {
    const int kvHead = violation.head / static_cast<int>(info.shape.group_size());
    ++count[static_cast<std::size_t>(violation.layer * n_kv_heads + kvHead)];
  }
  const auto most = static_cast<int>(std::max_element(count.begin(), count.end()) - count.begin());
  slice.layer = most / n_kv_heads;
  slice.kvHead = most % n_kv_heads;
  return slice;
}

}  // namespace qaq::views
