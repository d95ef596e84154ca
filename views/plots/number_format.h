#pragma once

#include <QString>
#include <cstdint>
#include <string>

namespace qaq::views {

// Numbers as the window writes them: minus is U+2212, a space before %, powers of ten raised.

/// `digits` significant digits, no exponent between 0.001 and 99999: "0.0032", "−1.3", "3.2×10⁻⁵".
QString numberText(double value, int digits = 3);
/// A share of 1 in per cent: "54 %", "0.4 %", "<0.1 %".
QString shareText(double share);
/// The power of ten: "0.01", "1", "10⁻³".
QString decadeText(int exponent);
/// "1 token" or "5 tokens": `many` holds %1. (Qt's own plurals need a translation file.)
QString counted(std::int64_t n, const QString& one, const QString& many);
/// A token as people read it: in quotes, with line breaks and tabs as signs.
QString quoted(const std::string& tokenText);

}  // namespace qaq::views
