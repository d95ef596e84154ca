#pragma once

#include <QString>
#include <cstdint>
#include <string>

namespace qaq::views {

// Numbers as the window writes them: minus is U+2212, a space before %, powers of ten raised.

/// `digits` significant digits, no exponent between 0.001 and 99999: "0.0032", "−1.3", "3.2×10⁻⁵".
QString numberText(double value, int digits = 3);
/// The same without zeros at the end: "0.07", "96", "3.274".
QString shortNumberText(double value, int digits = 4);
/// Bytes in binary units, one to three digits before the point: "812 B", "25.3 KiB", "1.2 MiB".
QString bytesText(double bytes);
/// A share of 1 in per cent: "54 %", "0.4 %", "<0.1 %".
QString shareText(double share);
/// The power of ten: "0.01", "1", "10⁻³".
QString decadeText(int exponent);
/// The next of 1, 2, 5, 10, 20 ... (and 0.5, 0.2 ...) that is `least` or more: steps of ticks.
double roundStep(double least);
/// "1 token" or "5 tokens": `many` holds %1. (Qt's own plurals need a translation file.)
QString counted(std::int64_t n, const QString& one, const QString& many);
/// A token as people read it: in quotes, with line breaks and tabs as signs.
QString quoted(const std::string& tokenText);

}  // namespace qaq::views
