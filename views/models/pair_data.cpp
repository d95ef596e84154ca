#include "views/models/pair_data.h"

#include <optional>

namespace qaq::views {
namespace {

bool sameQuestion(const Analysis& a, const Analysis& b) {
  return a.capture == b.capture && a.violations == b.violations;
}

std::shared_ptr<const PairCounts> countPairs(const Analysis& analysis,
                                             const std::optional<HeadRange>& heads,
                                             const Work& work) {
  auto out = std::make_shared<PairCounts>();
  out->histogram = pair_histogram(*analysis.capture, heads, analysis.violationParams,
                                  analysis.violationWindow, work);
  out->map = std::make_shared<const Heatmap>(histogram_map(out->histogram));
  out->jumps = strongest_jumps(*analysis.violations, heads);
  return out;
}

}  // namespace

HeadRange headsOf(const Slice& slice, const CaptureInfo& info) {
  const bool group = slice.queryHead == Slice::kGroup;
  const std::int64_t n = group ? info.shape.group_size() : 1;
  return {.layer_index = slice.layer,
          .first_head = group ? slice.kvHead * n : slice.queryHead,
          .n_heads = n};
}

SharedPairs loadPairs(const SharedSlice& slice, bool isWhole, const SharedPairs& previous,
                      const Work& work) {
  const Analysis& analysis = *slice->analysis;
  const HeadRange heads = headsOf(slice->slice, analysis.capture->info());
  const bool same = previous && sameQuestion(*previous->slice->analysis, analysis);
  const bool sameHeads = same && headsOf(previous->slice->slice, analysis.capture->info()) == heads;
  auto out = std::make_shared<PairData>();
  out->slice = slice;
  out->isWhole = isWhole;
  if (same && previous->isWhole == isWhole && (isWhole || sameHeads)) {
    out->counts = previous->counts;
  } else {
    out->counts = countPairs(analysis, isWhole ? std::nullopt : std::optional(heads), work);
  }
  if (sameHeads) {
    out->pairs = previous->pairs;
  } else {
    out->pairs = std::make_shared<const PairMaps>(pair_maps(
        *analysis.capture, heads, analysis.violationParams, analysis.violationWindow, work));
  }
  out->ratio = SharedHeatmap(out->pairs, &out->pairs->ratio);
  return out;
}

}  // namespace qaq::views
