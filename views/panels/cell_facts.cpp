#include "views/panels/cell_facts.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "views/plots/number_format.h"
#include "views/plots/run_label.h"

namespace qaq::views {
namespace {

CellFacts::Side sideFacts(const Analysis& analysis, CacheSide which, const Cursor& at) {
  const CacheReplay& cache = analysis.cache(which);
  const int bits = cache.bits(at.layer, at.kvHead, at.token);
  CellFacts::Side facts;
  if (at.token < analysis.replay->prefix && bits == CacheReplay::kEvicted) {
    facts.bits = CellFacts::tr("evicted");
    return facts;
  }
  if (at.token >= analysis.replay->prefix || bits >= analysis.exactFrom(which)) {
    facts.bits = CellFacts::tr("exact");
    return facts;
  }
  facts.bits = QString::number(bits);
  if (analysis.stage < Analysis::Stage::errors) return facts;
  int outliers = 0;
  for (const std::uint8_t byte : cache.outliers.sub(at.layer, at.kvHead, at.token).span()) {
    outliers += std::popcount(byte);
  }
  facts.outliers =
      CellFacts::tr("%1 of %2").arg(outliers).arg(analysis.capture->info().shape.head_dim);
  if (const QaqSideParams* params = analysis.quantizer(which)) {
    facts.outliers += QStringLiteral(" (%1)").arg(outliersAsked(*params));
  }
  const double mean_squared = cache.error(at.layer, at.kvHead, at.token);
  facts.error = CellFacts::tr("%1 RMS").arg(numberText(std::sqrt(mean_squared)));
  return facts;
}

/// The strongest violation of the token.
QString violationText(const SliceMaps& slice, int token) {
  const auto worst = std::find_if(slice.violations.begin(), slice.violations.end(),
                                  [token](const Violation& v) { return v.token == token; });
  if (worst == slice.violations.end()) return {};
  const QString at = CellFacts::tr("%1 at step %2").arg(numberText(worst->score)).arg(worst->step);
  if (worst->window_max <= 0) return at;
  return at + CellFacts::tr(", %1 ×").arg(
                  numberText(static_cast<double>(worst->score) / worst->window_max));
}

}  // namespace

CellFacts CellFacts::of(const SliceMaps& slice, const Cursor& cursor) {
  const Analysis& analysis = *slice.analysis;
  const CaptureInfo& info = analysis.capture->info();
  const auto token = static_cast<std::size_t>(cursor.token);
  CellFacts facts;
  // A cursor of a capture that is being opened means nothing in the one still shown.
  if (cursor.layer >= info.n_captured_layers() || cursor.token >= info.n_tokens) return facts;
  facts.token = tr("%1 %2, %3 bytes")
                    .arg(cursor.token)
                    .arg(quoted(info.token_text[token]))
                    .arg(info.token_bytes[token].size());
  facts.cell = placeText(info, cursor);
  facts.key = sideFacts(analysis, CacheSide::key, cursor);
  facts.value = sideFacts(analysis, CacheSide::value, cursor);

  // The maps are of one slice: they say nothing about other layers and heads.
  const bool here = cursor.layer == slice.slice.layer && cursor.kvHead == slice.slice.kvHead;
  if (!here) return facts;
  if (cursor.channel != Cursor::kNone && cursor.side == slice.slice.side) {
    const float magnitude = slice.magnitude->at(cursor.channel, cursor.token);
    if (Heatmap::is_value(magnitude)) {
      facts.magnitude = tr("%1 in channel %2").arg(numberText(magnitude)).arg(cursor.channel);
    }
  }
  if (cursor.step != Cursor::kNone && slice.attention) {
    const float score = slice.attention->at(cursor.step, cursor.token);
    if (Heatmap::is_value(score)) {
      facts.attention = tr("%1 from step %2").arg(numberText(score)).arg(cursor.step);
    }
  }
  facts.violation = violationText(slice, cursor.token);
  return facts;
}

}  // namespace qaq::views
