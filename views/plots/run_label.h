#pragma once

#include <QString>
#include <span>

#include "core/analysis/run_tradeoff.h"

namespace qaq::views {

/// A setting in a few words: what decides most ("target 0.03", "4 bits"), then what else differs
/// from the defaults: "target 0.03, level token, window 1". Keys before values where they differ.
QString runLabel(const RunSummary& run);

/// What a side asks of its outliers: "nominal 1 %", or "beyond 3 σ" by rule nsigma.
QString outliersAsked(const QaqSideParams& side);

/// "head", or "K token, V head": what the bits of both caches are shared by.
QString levelText(const QaqParams& params);

}  // namespace qaq::views
