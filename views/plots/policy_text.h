#pragma once

#include <QString>
#include <QStringList>
#include <optional>

#include "core/analysis/cell_fate.h"
#include "core/analysis/scope_params.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// "kivi".
QString policyName(const ScopeParams& params);
/// What its halves are, a line each, as policies() has them: "h2o: ...". Of a policy that is not
/// known here nothing.
QStringList policyHelp(const ScopeParams& params);
/// "key.k_bits 4, group_size 64": what differs from the defaults; empty: nothing.
QString changedText(const ScopeParams& params);
/// The sentence that offers QAQ where a policy has nothing to show.
QString backToQaq();

/// "evicted", "left exact", "4 bits".
QString fateText(const CellFate& fate);
/// A policy that no formula explains, as rich text: what it is, what it is set to, what it makes of
/// both caches and, where there is one, of a cell at `place`.
QString policyHtml(const ScopeParams& params, const ReplayResult& result,
                   const std::optional<CellFate>& fate, const QString& place, const Theme& theme);

}  // namespace qaq::views
