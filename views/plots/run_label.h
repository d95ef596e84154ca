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

/// What runs are told apart by at first sight: of QAQ what the bits of both caches are shared by,
/// "level head" or "level K token, V head"; else the policy.
QString kindText(const ScopeParams& params);

}  // namespace qaq::views
