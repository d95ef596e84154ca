#pragma once

#include <QString>

#include "core/replay/bit_formula.h"
#include "views/models/slice.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// A symbol or a formula's signs as mathematics writes them: "σ²", "S<sub>u</sub>", "√(12 / ".
QString prettySymbol(const std::string& symbol);
QString prettySigns(const std::string& text);

/// The formula of a cell as rich text: which formula, every step with symbols and with numbers in
/// bold, rounding, limits and the result, a line each; then what the symbols mean. `hovered` is a
/// symbol that is marked. Symbols are links to "symbol:NAME".
QString formulaHtml(const CellExplanation& explanation, const QString& place, const Theme& theme,
                    const QString& hovered = {});

/// "1 bit: ceil(0.546) = 1, no limit acts".
QString formulaResult(const CellExplanation& explanation);

}  // namespace qaq::views
