#include "views/models/analysis.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "core/replay/captured_layers.h"

namespace qaq::views {
namespace {

bool hasAttention(const CaptureView& capture) {
  return capture.info().profile != AttentionProfile::none;
}

bool sameViolations(const Analysis& before, const AnalysisRequest& request) {
  return before.violations != nullptr &&
         same_parameters(before.violationParams, request.params.violation) &&
         before.violationWindow == request.params.qaq.value.last_n_attentions;
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
  const QaqSideParams* side = quantizer(which);
  if (!side || !side->use_attentions || side->level == Level::no_quantization) return 0;
  return std::min<std::int64_t>(side->fixed_window() - 1, replay->prefix);
}

Analyser::Analyser(SharedCapture capture) : m_capture(std::move(capture)), m_replayer(*m_capture) {}

SharedAnalysis analyse(const AnalysisRequest& request, const SharedAnalysis& previous,
                       const Work& work) {
  return Analyser(request.capture).analyse(request, previous, work);
}

SharedAnalysis Analyser::analyse(const AnalysisRequest& request, const SharedAnalysis& previous,
                                 const Work& work, const Publish& publish) {
  assert(request.capture == m_capture);
  SharedAnalysis last = previous && previous->capture == m_capture ? previous : nullptr;
  bool isFirst = true;
  for (const auto stage : {Analysis::Stage::bits, Analysis::Stage::errors,
                           Analysis::Stage::violations, Analysis::Stage::scores}) {
    if (stage > request.through) break;
    // Who waits for the end alone needs no beginning.
    if (!publish && stage == Analysis::Stage::bits && request.through != stage) continue;
    last = make(stage, request, last, std::exchange(isFirst, false), work);
    if (publish && stage != request.through && !publish(last)) return nullptr;
  }
  return last;
}

SharedAnalysis Analyser::make(Analysis::Stage stage, const AnalysisRequest& request,
                              const SharedAnalysis& before, bool isFirst, const Work& work) {
  auto out = std::make_shared<Analysis>();
  if (before) *out = *before;
  out->stage = stage;
  out->capture = request.capture;
  out->params = request.params;
  const ReplayOptions options = replay_options(request.params, request.prefix);
  switch (stage) {
    case Analysis::Stage::bits:
      out->replay = m_replayer.planned(options, work);
      break;
    case Analysis::Stage::errors:
      out->replay = m_replayer.bits(options, work);
      break;
    case Analysis::Stage::violations:
      findViolations(request, work, *out);
      break;
    case Analysis::Stage::scores:
      out->replay = m_replayer.full(options, work);
      break;
  }
  if (isFirst) {
    for (const CacheSide which : {CacheSide::key, CacheSide::value}) {
      Analysis::Side& side = which == CacheSide::key ? out->key : out->value;
      side.bits =
          std::make_shared<const Heatmap>(bit_map(*out->replay, request.capture->info(), which));
      side.histogram = bit_histogram(*out->replay, which);
    }
  }
  work.throw_if_stopped();
  return out;
}

void Analyser::findViolations(const AnalysisRequest& request, const Work& work, Analysis& out) {
  if (!request.params.uses_qaq()) {
    out.violations = nullptr;
    return;
  }
  if (!hasAttention(*m_capture) || sameViolations(out, request)) return;
  out.violationParams = request.params.violation;
  out.violationWindow = request.params.qaq.value.last_n_attentions;
  out.violations = std::make_shared<const ViolationReport>(
      find_violations(*m_capture, out.violationParams, out.violationWindow, work));
}

namespace {

std::shared_ptr<SliceMaps> mapsOf(const SharedAnalysis& analysis, const Slice& slice,
                                  const SharedSlice& previous) {
  auto out = std::make_shared<SliceMaps>();
  out->slice = slice;
  out->analysis = analysis;
  const CaptureView& capture = *analysis->capture;
  const CaptureInfo& info = capture.info();
  const bool same_capture = previous && previous->analysis->capture == analysis->capture;
  const CacheReplay& cache = analysis->cache(slice.side);
  const bool same_slice = same_capture && previous->slice == slice;
  // What is evicted is another with every setting.
  if (same_slice && !cache.evicts() && !previous->analysis->cache(slice.side).evicts()) {
    out->magnitude = previous->magnitude;
  } else {
    out->magnitude = std::make_shared<const Heatmap>(
        magnitude_map(capture, slice.side, slice.layer, slice.kvHead, &cache));
  }
  if (same_slice) {
    out->attention = previous->attention;
  } else {
    const bool group = slice.queryHead == Slice::kGroup;
    if (hasAttention(capture)) {
      out->attention = std::make_shared<const Heatmap>(
          attention_map(capture, slice.layer, group ? slice.kvHead : slice.queryHead, group));
    }
  }
  if (analysis->stage >= Analysis::Stage::errors) {
    out->outliers =
        cellsOf(outlier_mask(*analysis->replay, info, slice.side, slice.layer, slice.kvHead));
  } else if (same_capture && previous->slice == slice) {
    out->outliers = previous->outliers;
  }
  if (same_capture && previous->slice == slice &&
      previous->analysis->violations == analysis->violations) {
    out->violations = previous->violations;
    return out;
  }
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

// The slice of another capture: its layer is looked up by the model's number.
std::optional<Slice> sliceIn(const CaptureInfo& there, const CaptureInfo& here, Slice slice) {
  const auto layer =
      captured_index(there.layers, here.layers[static_cast<std::size_t>(slice.layer)]);
  if (!layer || slice.kvHead >= there.shape.n_kv_heads || slice.queryHead >= there.shape.n_heads) {
    return std::nullopt;
  }
  slice.layer = *layer;
  return slice;
}

std::shared_ptr<const Against> againstOf(const SliceMaps& shown, const AgainstRequest& request,
                                         const SharedSlice& previous) {
  const auto before = previous ? previous->against : nullptr;
  auto out = std::make_shared<Against>();
  out->label = request.label;
  out->analysis = request.analysis;
  const CaptureInfo& a = request.analysis->capture->info();
  const CaptureInfo& b = shown.analysis->capture->info();
  const bool sameCaptures = before && before->analysis->capture == request.analysis->capture &&
                            previous->analysis->capture == shown.analysis->capture;
  out->alignment = sameCaptures ? before->alignment : align(a, b);
  if (const auto slice = sliceIn(a, b, shown.slice)) {
    out->slice = mapsOf(request.analysis, *slice, sameCaptures ? before->slice : nullptr);
  }
  const bool sameSettings = sameCaptures && before->analysis == request.analysis &&
                            previous->analysis == shown.analysis && before->label == out->label;
  if (sameSettings) out->comparison = before->comparison;
  return out;
}

}  // namespace

SharedSlice loadSlice(const SharedAnalysis& analysis, const Slice& slice,
                      const SharedSlice& previous, const AgainstRequest& against) {
  auto out = mapsOf(analysis, slice, previous);
  if (against.analysis) out->against = againstOf(*out, against, previous);
  return out;
}

ComparedRun comparedRun(const SharedAnalysis& analysis, const QString& label) {
  return {.name = label.toStdString(), .capture = analysis->capture, .replay = analysis->replay};
}

SharedSlice compared(const SharedSlice& slice, const Work& work) {
  const auto& against = slice->against;
  constexpr auto kWhole = Analysis::Stage::scores;
  if (!against || against->comparison || !against->alignment.allowed() ||
      against->analysis->stage != kWhole || slice->analysis->stage != kWhole) {
    return nullptr;
  }
  auto held = std::make_shared<Against>(*against);
  held->comparison = std::make_shared<const Comparison>(
      compare(comparedRun(against->analysis, against->label),
              comparedRun(slice->analysis, QStringLiteral("B")), work));
  auto out = std::make_shared<SliceMaps>(*slice);
  out->against = std::move(held);
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
